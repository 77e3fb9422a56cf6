package boltstore

import (
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/schedule"
)

// memory is what the store knows besides the file, guarded by Store.mu. It holds as much as is claimed and a little
// more, and nothing for a subscription that has nothing pending.
type memory struct {
	schedule *schedule.Schedule[subscriber, claimed]

	level   // of the watermark
	recent  recent
	ages    ages
	erasing map[uint64]*erasing // events that have a mark, see erasures.go
}

// unlock gives the mutex back. If something may have become claimable, it fills the slot of Ready.
func (s *Store) unlock() {
	wake := s.schedule.TakeWake()
	s.mu.Unlock()
	if wake {
		s.wakeReader()
	}
}

// locker is Store.mu for those who run effects under it.
type locker struct{ s *Store }

func (l locker) Lock() { l.s.mu.Lock() }

func (l locker) Unlock() { l.s.unlock() }

// wakeReader fills the slot of Ready.
func (s *Store) wakeReader() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// queue returns the queue of a subscription. A new one has all in it: those that have something in the file are made
// when the store is opened.
func (s *Store) queue(num uint64) *queue { return s.schedule.Ensure(num) }

// What follows brings memory up to what a transaction has written.

// applyEffect applies one effect. Store.mu must be held.
func (s *Store) applyEffect(e txn.Effect) {
	switch e := e.(type) {
	case *txn.EventEnqueued:
		s.addFresh(e)
	case *txn.DeliveryChanged:
		s.moved(e.Change)
	case *txn.HealthChanged:
		s.setHealth(e.Num, e.Health)
	case *txn.BacklogChanged:
		s.setBacklog(e.Num, e.Backlog)
	case txn.SubscriptionChanged:
		s.setSubscription(e.Num, e.Sub)
	case txn.PendingCanceled:
		s.canceledAll(e.Num, e.Marks)
	case txn.SubscriptionDeleted:
		s.deleted(e.Num)
	case txn.DeliveriesSpilled:
		s.spilled(e.Num, e.Seqs)
	case txn.SpillProgressed:
		s.rise.nums = s.rise.nums[e.Subscriptions:]
	case txn.WatermarkRaised:
		s.setWatermark(e.To)
	case txn.EventErased:
		s.recent.remove(e.Seq)
	case txn.ErasureBegun:
		s.markErased(e.Seq)
	case txn.ErasureEnded:
		s.unmarkErased(e.Seq)
	case txn.RowUnreadable:
		s.reloadAfter(e.Seq, e.Num)
	case txn.PurgeProgressed:
		s.house.progress(e.State)
	case txn.PurgeEnded:
		s.house.swept(e.Num)
	case txn.OrphansPossible:
		s.house.orphans = true
	case txn.EventsOrphaned:
		for _, seq := range e.Seqs {
			s.ages.merge(seq, age{orphaned: true})
		}
	case txn.AgesUnknown:
		s.ages.readAgain(e.UpTo)
	case txn.CountsWritten:
		s.counts.Confirm()
	case txn.AttemptsCounted:
		for i := range e.Attempts {
			c := &e.Attempts[i]
			s.counts.Add(c.Key, &c.Attempt, c.Delivered)
		}
	default:
		panic(fmt.Sprintf("boltstore: no such effect: %T", e)) // else memory would miss it for ever
	}
}

// addFresh takes in the deliveries of a new event, but for those that have a row, given in order.
func (s *Store) addFresh(e *txn.EventEnqueued) {
	now, rowed := s.now(), e.Materialized
	_ = record.Unpack(e.Recipients.Packed, func(num uint64) bool { // we have packed it
		if len(rowed) > 0 && rowed[0] == num {
			rowed = rowed[1:]
			return true
		}
		s.schedule.AddImplicit(s.queue(num), e.Seq, now)
		return true
	})
	s.addSpan(e.Seq, e.Recipients.Count)
	s.recent.add(e.Seq, e.Event)
}

func (s *Store) moved(m pending.Change) {
	if !m.Pending {
		s.ages.noteFinished(m.Seq, m.Delivered, m.FinishedAt)
	}
	q := s.schedule.Sub(m.Num)
	if q == nil {
		if !m.Pending {
			return
		}
		q = s.queue(m.Num)
	}
	q.Data.stored.moved(m.Seq, m.Pending)
	if !q.PackedMaybe() {
		s.trim(q)
	}
	s.schedule.Change(q, m.Seq, schedule.Change{
		Pending: m.Pending, Blocked: m.Blocked, Position: m.Position, EndLease: m.EndLease,
	}, s.now())
}

// setHealth changes the health of a subscription, and with it what counts against the limits of its class.
func (s *Store) setHealth(num uint64, h store.Health) {
	if q := s.schedule.Sub(num); q != nil {
		s.schedule.SetHealth(q, h, s.now())
	}
}

// setBacklog takes in what has changed of a backlog.
func (s *Store) setBacklog(num uint64, b *record.Backlog) {
	q := s.schedule.Sub(num)
	if q == nil && (b.Empty() || b.Deleted) {
		return
	}
	if q == nil {
		q = s.queue(num)
	}
	setBacklogOf(q, b)
	if b.Pending == 0 && len(b.Marks) == 0 {
		s.schedule.Complete(q, s.now())
		return
	}
	s.schedule.Settle(q, s.now())
}
