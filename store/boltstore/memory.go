package boltstore

import (
	"fmt"
	"math/rand/v2"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/rollup"
	"github.com/outhook/outhook/store/internal/schedule"
)

// memory is what the store knows besides the file, guarded by Store.mu. It holds as much as is claimed and a little
// more, and nothing for a subscription that has nothing pending.
type memory struct {
	now       func() int64 // the store's clock
	budget    int          // see spill.go, also for the next
	spillStep int
	schedule  *schedule.Schedule[subscriber, claimed]

	level   // of the watermark
	recent  recent
	ages    ages
	house   house
	erasing map[uint64]*erasing // events that have a mark, see erasures.go
	counts  *rollup.Buffer      // of attempts, those that the file has not; it has a lock of its own
}

func newMemory(now func() int64, counts *rollup.Buffer, o *Options) memory {
	return memory{
		now: now, budget: o.budget, spillStep: o.spillStep, counts: counts,
		schedule: schedule.New[subscriber, claimed](schedule.Options{
			Window: maxWindow, Idle: maxIdle, FirstToken: rand.Uint64() >> 1,
		}),
	}
}

// unlock gives the mutex back. If something may have become claimable, it fills the slot of Ready.
func (s *Store) unlock() {
	wake := s.memory.schedule.TakeWake()
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
func (m *memory) queue(num uint64) *queue { return m.schedule.Ensure(num) }

// What follows brings memory up to what a transaction has written.

// applyEffect applies one effect. Store.mu must be held.
func (m *memory) applyEffect(e txn.Effect) {
	switch e := e.(type) {
	case *txn.EventEnqueued:
		m.addFresh(e)
	case *txn.DeliveryChanged:
		m.moved(e.Change)
	case *txn.HealthChanged:
		m.setHealth(e.Num, e.Health)
	case *txn.BacklogChanged:
		m.setBacklog(e.Num, e.Backlog)
	case txn.SubscriptionChanged:
		m.setSubscription(e.Num, e.Sub)
	case txn.PendingCanceled:
		m.canceledAll(e.Num, e.Marks)
	case txn.SubscriptionDeleted:
		m.deleted(e.Num)
	case txn.DeliveriesSpilled:
		m.spilled(e.Num, e.Seqs)
	case txn.SpillProgressed:
		m.rise.nums = m.rise.nums[e.Subscriptions:]
	case txn.WatermarkRaised:
		m.setWatermark(e.To)
	case txn.EventErased:
		m.recent.remove(e.Seq)
	case txn.ErasureBegun:
		m.markErased(e.Seq)
	case txn.ErasureEnded:
		m.unmarkErased(e.Seq)
	case txn.RowUnreadable:
		m.reloadAfter(e.Seq, e.Num)
	case txn.PurgeProgressed:
		m.house.progress(e.State)
	case txn.PurgeEnded:
		m.house.swept(e.Num)
	case txn.OrphansPossible:
		m.house.orphans = true
	case txn.EventsOrphaned:
		for _, seq := range e.Seqs {
			m.ages.merge(seq, age{orphaned: true})
		}
	case txn.AgesUnknown:
		m.ages.readAgain(e.UpTo)
	case txn.CountsWritten:
		m.counts.Confirm()
	case txn.AttemptsCounted:
		for i := range e.Attempts {
			c := &e.Attempts[i]
			m.counts.Add(c.Key, &c.Attempt, c.Delivered)
		}
	default:
		panic(fmt.Sprintf("boltstore: no such effect: %T", e)) // else memory would miss it for ever
	}
}

// addFresh takes in the deliveries of a new event, but for those that have a row, given in order.
func (m *memory) addFresh(e *txn.EventEnqueued) {
	now, rowed := m.now(), e.Materialized
	_ = record.Unpack(e.Recipients.Packed, func(num uint64) bool { // we have packed it
		if len(rowed) > 0 && rowed[0] == num {
			rowed = rowed[1:]
			return true
		}
		m.schedule.AddImplicit(m.queue(num), e.Seq, now)
		return true
	})
	m.addSpan(e.Seq, e.Recipients.Count)
	m.recent.add(e.Seq, e.Event)
}

func (m *memory) moved(c pending.Change) {
	if !c.Pending {
		m.ages.noteFinished(c.Seq, c.Delivered, c.FinishedAt)
	}
	q := m.schedule.Sub(c.Num)
	if q == nil {
		if !c.Pending {
			return
		}
		q = m.queue(c.Num)
	}
	q.Data.stored.moved(c.Seq, c.Pending)
	if !q.PackedMaybe() {
		m.trim(q)
	}
	m.schedule.Change(q, c.Seq, schedule.Change{
		Pending: c.Pending, Blocked: c.Blocked, Position: c.Position, EndLease: c.EndLease,
	}, m.now())
}

// setHealth changes the health of a subscription, and with it what counts against the limits of its class.
func (m *memory) setHealth(num uint64, h store.Health) {
	if q := m.schedule.Sub(num); q != nil {
		m.schedule.SetHealth(q, h, m.now())
	}
}

// setBacklog takes in what has changed of a backlog.
func (m *memory) setBacklog(num uint64, b *record.Backlog) {
	q := m.schedule.Sub(num)
	if q == nil && (b.Empty() || b.Deleted) {
		return
	}
	if q == nil {
		q = m.queue(num)
	}
	setBacklogOf(q, b)
	if b.Pending == 0 && len(b.Marks) == 0 {
		m.schedule.Complete(q, m.now())
		return
	}
	m.schedule.Settle(q, m.now())
}
