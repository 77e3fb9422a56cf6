package memory

import (
	"cmp"
	"fmt"
	"math/rand/v2"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/rollup"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Memory is what the store knows besides the file, guarded by the mutex of the store's state. It
// holds as much as is claimed and a little more, and nothing for a subscription that has nothing
// pending.
type Memory struct {
	now       func() int64 // the store's clock
	Budget    int          // see package pending, also for the next
	spillStep int
	Schedule  *schedule.Schedule[Subscriber, Claimed]

	level       // of the watermark
	numbers     numbersByID
	tenants     tenants
	Recent      recent
	ages        ages
	Maintenance Maintenance
	closed      map[string]bool     // tenants of which nothing is to be claimed
	Erasing     map[uint64]*erasing // events that have a mark, see erasures
	// Of attempts, those that the file has not; it has a lock of its own.
	Counts *rollup.Buffer
}

// New returns an empty memory. budget is how many deliveries the events above the watermark may
// have, and spillStep how many subscriptions get chunks in one commit; zero is the default of each.
func New(now func() int64, counts *rollup.Buffer, budget, spillStep int) Memory {
	m := Memory{
		now: now, Counts: counts, numbers: make(numbersByID), tenants: newTenants(),
		closed: make(map[string]bool),
		Budget: cmp.Or(budget, defaultBudget), spillStep: cmp.Or(spillStep, defaultSpillStep),
		Schedule: schedule.New[Subscriber, Claimed](schedule.Options{
			// A random beginning, so that a token of an earlier process is worth nothing in this
			// one.
			Window: maxWindow, Idle: maxIdle, FirstToken: rand.Uint64() >> 1,
		}),
	}
	numbers, tenants := m.numbers, m.tenants // both share what m has, which is copied
	m.Schedule.Dropped = func(q *Queue) {
		numbers.drop(q)
		tenants.drop(q)
	}
	return m
}

// ensure returns the queue of a subscription. A new one has all in it: those that have something in
// the file are made when the store is opened.
func (m *Memory) ensure(num uint64) *Queue { return m.Schedule.Ensure(num) }

// What follows brings memory up to what a transaction has written.

// Apply applies one effect. The mutex of the store's state is held.
func (m *Memory) Apply(e effect.Effect) {
	switch e := e.(type) {
	case *effect.EventEnqueued:
		m.enqueued(e)
	case *effect.DeliveryChanged:
		m.deliveryChanged(e.Change)
	case *effect.HealthChanged:
		m.setHealth(e.Num, e.Health)
	case *effect.BacklogChanged:
		m.setBacklog(e.Num, e.Backlog)
	case effect.SubscriptionChanged:
		m.setSubscription(e.Num, e.Sub)
	case effect.TenantChanged:
		m.setTenant(e.Tenant, e.Closed)
	case effect.PendingCanceled:
		m.canceledAll(e.Num, e.Marks)
	case effect.SubscriptionDeleted:
		m.deleted(e.Num)
	case effect.DeliveriesSpilled:
		m.spilled(e.Num, e.Seqs)
	case effect.SpillProgressed:
		m.rise.nums = m.rise.nums[e.Subscriptions:]
	case effect.WatermarkRaised:
		m.setWatermark(e.To)
	case effect.EventErased:
		m.Recent.remove(e.Seq)
	case effect.ErasureBegun:
		m.beginErasure(e.Seq)
	case effect.ErasureEnded:
		m.endErasure(e.Seq)
	case effect.RowUnreadable:
		m.reloadAfter(e.Seq, e.Num)
	case effect.PurgeProgressed:
		m.Maintenance.progress(e.State)
	case effect.PurgeEnded:
		m.Maintenance.purged(e.Num)
	case effect.OrphansPossible:
		m.Maintenance.orphans = true
	case effect.EventsOrphaned:
		for _, seq := range e.Seqs {
			m.ages.merge(seq, age{orphaned: true})
		}
	case effect.AgesUnknown:
		m.ages.readAgain(e.UpTo)
	case effect.CountsWritten:
		m.Counts.Confirm()
	case effect.AttemptsCounted:
		for i := range e.Attempts {
			c := &e.Attempts[i]
			a := store.Attempt{Status: c.Status, Duration: c.Duration}
			m.Counts.Add(c.Num, c.At, &a, c.Delivered)
		}
	default:
		panic(fmt.Sprintf("boltstore: no such effect: %T", e)) // else memory would miss it for ever
	}
}

// enqueued takes in the deliveries of a new event, but for those that have a row, given in order.
func (m *Memory) enqueued(e *effect.EventEnqueued) {
	now, materialized := m.now(), e.Materialized
	_ = record.Unpack(e.Recipients.Packed, func(num uint64) bool { // we have packed it
		if len(materialized) > 0 && materialized[0] == num {
			materialized = materialized[1:]
			return true
		}
		q := m.ensure(num)
		m.Schedule.AddImplicit(q, e.Seq, now)
		m.tenants.learn(q, e.Event.Tenant)
		m.tenants.recount(q)
		return true
	})
	m.addSpan(e.Seq, e.Recipients.Count)
	m.Recent.add(e.Seq, e.Event)
}

// deliveryChanged takes in what a delivery that has a row is now.
func (m *Memory) deliveryChanged(c pending.Change) {
	if !c.Pending {
		m.ages.noteFinished(c.Seq, c.Delivered, c.FinishedAt)
	}
	q := m.Schedule.Sub(c.Num)
	if q == nil {
		if !c.Pending {
			return
		}
		q = m.ensure(c.Num)
	}
	q.Data.Oldest.moved(c.Seq, c.Pending)
	// Nothing is left in its chunks, as far as is known: perhaps they can go.
	if !q.PackedMaybe() {
		m.Trim(q)
	}
	m.Schedule.Change(q, c.Seq, schedule.Change{
		Pending: c.Pending, Blocked: c.Blocked, Position: c.Position, EndLease: c.EndLease,
	}, m.now())
	m.tenants.recount(q)
}

// setHealth changes the health of a subscription, and with it what counts against the limits of its
// class.
func (m *Memory) setHealth(num uint64, h *store.Health) {
	if q := m.Schedule.Sub(num); q != nil {
		m.Schedule.SetHealth(q, h, m.now())
	}
}

// setBacklog takes in what has changed of a backlog.
func (m *Memory) setBacklog(num uint64, b *record.Backlog) {
	q := m.Schedule.Sub(num)
	// A queue is not made for what has nothing pending.
	if q == nil && (b.Empty() || b.Deleted) {
		return
	}
	if q == nil {
		q = m.ensure(num)
	}
	setBacklogOf(q, b)
	m.tenants.recount(q)
	if b.Pending == 0 && len(b.Marks) == 0 {
		m.Schedule.Complete(q, m.now())
		return
	}
	m.Schedule.Reschedule(q, m.now())
}
