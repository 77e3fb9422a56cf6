package txn

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Effect is something that memory must learn when a transaction has committed. It is one of the
// types below, or a pointer to one.
type Effect interface{ isEffect() }

// EventEnqueued says that an event was stored. Its deliveries are pending without a row, but for
// those of the subscriptions in materialized.
type EventEnqueued struct {
	Seq          uint64
	Event        *record.Event
	Recipients   *Recipients
	Materialized []uint64 // in ascending order
}

// DeliveryChanged says what a delivery that has a row is now.
type DeliveryChanged struct{ pending.Change }

// HealthChanged has the new health of a subscription.
type HealthChanged struct {
	Num    uint64
	Health store.Health
}

// BacklogChanged has the new backlog of a subscription.
type BacklogChanged struct {
	Num     uint64
	Backlog *record.Backlog
}

// SubscriptionChanged has the new version of a subscription, which nobody may change.
type SubscriptionChanged struct {
	Num uint64
	Sub *store.Subscription
}

// TenantChanged says whether a tenant is closed: nothing of it is to be claimed.
type TenantChanged struct {
	Tenant string
	Closed bool
}

// PendingCanceled says that all that was pending for a subscription is canceled by the last of the
// marks. What else the transaction did to the subscription comes after it.
type PendingCanceled struct {
	Num   uint64
	Marks []record.Mark
}

// SubscriptionDeleted says that a subscription is gone. Its records are still to be removed.
type SubscriptionDeleted struct{ Num uint64 }

// DeliveriesSpilled says that pending deliveries without a row are in chunks now.
type DeliveriesSpilled struct {
	Num  uint64
	Seqs []uint64
}

// SpillProgressed says that a part of a rise of the watermark is done: for so many subscriptions.
type SpillProgressed struct{ Subscriptions int }

// WatermarkRaised says where the watermark is.
type WatermarkRaised struct{ To uint64 }

// EventErased says that the content of an event is gone.
type EventErased struct{ Seq uint64 }

// ErasureBegun says that deliveries of an erased event are still to be brought in line.
type ErasureBegun struct{ Seq uint64 }

// ErasureEnded says that all deliveries of an erased event are in line.
type ErasureEnded struct{ Seq uint64 }

// RowUnreadable says that an erasure has passed over a delivery whose row can't be read.
type RowUnreadable struct{ Num, Seq uint64 }

// PurgeProgressed has how far the purge of a subscription is.
type PurgeProgressed struct{ State PurgeState }

// PurgeEnded says that nothing is left to purge of a subscription.
type PurgeEnded struct{ Num uint64 }

// OrphansPossible says that there may be events whose subscriptions are all deleted.
type OrphansPossible struct{}

// EventsOrphaned says that a subscription of each event is gone.
type EventsOrphaned struct{ Seqs []uint64 }

// AgesUnknown says that it is not known what has finished of the events up to one: they must be
// read.
type AgesUnknown struct{ UpTo uint64 }

// CountsWritten says that the batch of counts that memory had given is in the file.
type CountsWritten struct{}

// AttemptsCounted has attempts to be counted.
type AttemptsCounted struct{ Attempts []CountedAttempt }

func (*EventEnqueued) isEffect() {}

func (*DeliveryChanged) isEffect() {}

func (*HealthChanged) isEffect() {}

func (*BacklogChanged) isEffect() {}

func (SubscriptionChanged) isEffect() {}

func (TenantChanged) isEffect() {}

func (PendingCanceled) isEffect() {}

func (SubscriptionDeleted) isEffect() {}

func (DeliveriesSpilled) isEffect() {}

func (SpillProgressed) isEffect() {}

func (WatermarkRaised) isEffect() {}

func (EventErased) isEffect() {}

func (ErasureBegun) isEffect() {}

func (ErasureEnded) isEffect() {}

func (RowUnreadable) isEffect() {}

func (PurgeProgressed) isEffect() {}

func (PurgeEnded) isEffect() {}

func (OrphansPossible) isEffect() {}

func (EventsOrphaned) isEffect() {}

func (AgesUnknown) isEffect() {}

func (CountsWritten) isEffect() {}

func (AttemptsCounted) isEffect() {}

// effects collects the effects of a transaction, in the order in which memory must learn them.
// Those that come once for every delivery are allocated many at a time.
type effects struct {
	list     []Effect
	enqueued slab[EventEnqueued]
	changed  slab[DeliveryChanged]
	healths  slab[HealthChanged]
	backlogs slab[BacklogChanged]
}

// Effects returns what memory must learn when the transaction has committed, in this order.
func (t *Tx) Effects() []Effect { return t.effects.list }

// Try runs one of several operations of the transaction. If it fails its effects are dropped. The
// transaction is intact unless the operation failed after it had written.
func (t *Tx) Try(run func() error) (intact bool, err error) {
	effects, changes := len(t.effects.list), t.changes
	if err = run(); err != nil {
		t.effects.list = t.effects.list[:effects]
	}
	return err == nil || t.changes == changes, err
}

func (e *effects) add(one Effect) { e.list = append(e.list, one) }

// slab is values that are allocated many at a time and never move.
type slab[T any] []T

// add returns the address of a copy of v.
func (s *slab[T]) add(v T) *T {
	if len(*s) == cap(*s) {
		// A new array, so that the addresses in the old one stay good.
		*s = make([]T, 0, min(max(1, 2*cap(*s)), 32))
	}
	*s = append(*s, v)
	return &(*s)[len(*s)-1]
}
