package boltstore

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/rollup"
)

// effect is something that memory must learn when a transaction has committed. It is one of the types
// below, or a pointer to one.
type effect interface{ isEffect() }

// eventEnqueued says that an event was stored. Its deliveries are pending without a row, but for those
// of the subscriptions in materialized.
type eventEnqueued struct {
	seq          uint64
	event        *record.Event
	recipients   *audience
	materialized []uint64 // in ascending order
}

// deliveryChanged says what a delivery that has a row is now.
type deliveryChanged struct{ pending.Change }

// healthChanged has the new health of a subscription.
type healthChanged struct {
	num    uint64
	health store.Health
}

// backlogChanged has the new backlog of a subscription.
type backlogChanged struct {
	num     uint64
	backlog *record.Backlog
}

// subscriptionChanged has the new version of a subscription, which nobody may change.
type subscriptionChanged struct {
	num uint64
	sub *store.Subscription
}

// pendingCanceled says that all that was pending for a subscription is canceled by the last of the
// marks. What else the transaction did to the subscription comes after it.
type pendingCanceled struct {
	num   uint64
	marks []record.Mark
}

// subscriptionDeleted says that a subscription is gone. Its records are still to be removed.
type subscriptionDeleted struct{ num uint64 }

// deliveriesSpilled says that pending deliveries without a row are in chunks now.
type deliveriesSpilled struct {
	num  uint64
	seqs []uint64
}

// spillProgressed says that a part of a rise of the watermark is done: for so many subscriptions.
type spillProgressed struct{ subscriptions int }

// watermarkRaised says where the watermark is.
type watermarkRaised struct{ to uint64 }

// eventErased says that the content of an event is gone.
type eventErased struct{ seq uint64 }

// erasureBegun says that deliveries of an erased event are still to be brought in line.
type erasureBegun struct{ seq uint64 }

// erasureEnded says that all deliveries of an erased event are in line.
type erasureEnded struct{ seq uint64 }

// rowUnreadable says that an erasure has passed over a delivery whose row can't be read.
type rowUnreadable struct{ num, seq uint64 }

// purgeProgressed has how far the purge of a subscription is.
type purgeProgressed struct{ state sweepState }

// purgeEnded says that nothing is left to purge of a subscription.
type purgeEnded struct{ num uint64 }

// orphansPossible says that there may be events whose subscriptions are all deleted.
type orphansPossible struct{}

// eventsOrphaned says that a subscription of each event is gone.
type eventsOrphaned struct{ seqs []uint64 }

// agesLost says that it is not known what has finished of the events up to one: they must be read.
type agesLost struct{ last uint64 }

// countsWritten says that the counts that memory had are in the file, as of a transaction.
type countsWritten struct {
	slots map[slotKey]*rollup.Bucket
	tx    int
}

// attemptsCounted has attempts to be counted.
type attemptsCounted struct {
	slot     int64
	attempts []counted
}

func (*eventEnqueued) isEffect() {}

func (*deliveryChanged) isEffect() {}

func (*healthChanged) isEffect() {}

func (*backlogChanged) isEffect() {}

func (subscriptionChanged) isEffect() {}

func (pendingCanceled) isEffect() {}

func (subscriptionDeleted) isEffect() {}

func (deliveriesSpilled) isEffect() {}

func (spillProgressed) isEffect() {}

func (watermarkRaised) isEffect() {}

func (eventErased) isEffect() {}

func (erasureBegun) isEffect() {}

func (erasureEnded) isEffect() {}

func (rowUnreadable) isEffect() {}

func (purgeProgressed) isEffect() {}

func (purgeEnded) isEffect() {}

func (orphansPossible) isEffect() {}

func (eventsOrphaned) isEffect() {}

func (agesLost) isEffect() {}

func (countsWritten) isEffect() {}

func (attemptsCounted) isEffect() {}

// effects collects the effects of a transaction, in the order in which memory must learn them. Those
// that come once for every delivery are allocated many at a time.
type effects struct {
	list     []effect
	enqueued slab[eventEnqueued]
	changed  slab[deliveryChanged]
	healths  slab[healthChanged]
	backlogs slab[backlogChanged]
}

func (e *effects) add(one effect) { e.list = append(e.list, one) }

// slab is values that are allocated many at a time and never move.
type slab[T any] []T

// add returns the address of a copy of v.
func (s *slab[T]) add(v T) *T {
	if len(*s) == cap(*s) {
		// A new array, so that the addresses in the old one stay good.
		*s = make([]T, 0, min(max(1, 2*cap(*s)), 256))
	}
	*s = append(*s, v)
	return &(*s)[len(*s)-1]
}
