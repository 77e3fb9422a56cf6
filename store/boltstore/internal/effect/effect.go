package effect

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Effect is something that memory must learn when a transaction has committed. It is one of the
// types below, or a pointer to one.
type Effect interface{ isEffect() }

// EventEnqueued says that an event was stored. Its deliveries are pending without a row, but for
// those of the subscriptions in Materialized.
type EventEnqueued struct {
	Seq          uint64
	Event        *record.Event
	Recipients   *Recipients // shared with the cache of recipients; for reading only
	Materialized []uint64    // in ascending order
}

// Recipients are the subscriptions that an event is for.
type Recipients struct {
	Packed []byte // their numbers, as [record.Pack] encodes them
	Count  int    // how many they are
}

// DeliveryChanged says what a delivery that has a row is now.
type DeliveryChanged struct{ pending.Change }

// HealthChanged has the new health of a subscription.
type HealthChanged struct {
	Num    uint64
	Health *store.Health // for reading only
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

// PurgeState is how far the purge of a subscription has come: writing into its records what its
// marks say, or removing them when it is deleted.
type PurgeState struct {
	Num     uint64
	ID      int    // tells it from another purge of the same subscription
	Stage   int    // which bucket it is at
	LastKey []byte // the last key that was looked at in this stage
	UpTo    uint64 // the last mark when the first stage began
}

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

// CountedAttempt is an attempt that is to be counted.
type CountedAttempt struct {
	Num       uint64    // of the subscription
	At        time.Time // by the store's clock
	Status    int
	Duration  time.Duration
	Delivered bool
}

func (*EventEnqueued) isEffect()      {}
func (*DeliveryChanged) isEffect()    {}
func (*HealthChanged) isEffect()      {}
func (*BacklogChanged) isEffect()     {}
func (SubscriptionChanged) isEffect() {}
func (TenantChanged) isEffect()       {}
func (PendingCanceled) isEffect()     {}
func (SubscriptionDeleted) isEffect() {}
func (DeliveriesSpilled) isEffect()   {}
func (SpillProgressed) isEffect()     {}
func (WatermarkRaised) isEffect()     {}
func (EventErased) isEffect()         {}
func (ErasureBegun) isEffect()        {}
func (ErasureEnded) isEffect()        {}
func (RowUnreadable) isEffect()       {}
func (PurgeProgressed) isEffect()     {}
func (PurgeEnded) isEffect()          {}
func (OrphansPossible) isEffect()     {}
func (EventsOrphaned) isEffect()      {}
func (AgesUnknown) isEffect()         {}
func (CountsWritten) isEffect()       {}
func (AttemptsCounted) isEffect()     {}
