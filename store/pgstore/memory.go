package pgstore

import (
	"math/rand/v2"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// What memory knows of a subscription of a share that is this replica's, and of each lease. The
// schedule decides with it which delivery is next.
type (
	queue = schedule.Sub[subscriber, claimed]
	lease = schedule.Lease[subscriber, claimed]
)

const (
	// maxWindow is how many positions the schedule holds of each order that the database has in
	// full.
	maxWindow = 128

	// maxIdle is how many queues are kept that have nothing.
	maxIdle = 4096
)

// subscriber is what memory has of a subscription beside what the schedule knows.
type subscriber struct {
	// sub is the subscription, once it is read. It is replaced as a whole and never changed, so
	// claims can share what it points to.
	sub *store.Subscription

	canceledTo uint64 // what became pending before it is canceled
}

// claimed is what memory has of a lease, once Claim has read the delivery.
type claimed struct {
	eventID  string
	key      string
	stamp    uint64 // when the delivery became pending: if the database says another, the token is of no use
	attempts int
	hasRow   bool // it had a row
}

// memory is what a replica knows of its shares. Store.mu guards it.
type memory struct {
	schedule *schedule.Schedule[subscriber, claimed]
	shares   [shareCount]share

	// lastSeq is the highest event that was seen. Numbers that are drawn from now on are higher.
	lastSeq uint64

	// floors are below the events of the transactions under way that publish for shares of this
	// replica: no low mark passes them.
	floors map[*publishing]uint64

	// looking says that notices are being taken: they may be gone from the database already, and
	// not be in the schedule yet. looks counts how often they were.
	looking bool
	looks   int

	maxRowless int // see spill.go, also for the next
	maxLag     uint64
}

func newMemory() memory {
	return memory{
		schedule: schedule.New[subscriber, claimed](schedule.Options{
			Window: maxWindow, Idle: maxIdle, FirstToken: rand.Uint64() >> 1,
		}),
		floors:     make(map[*publishing]uint64),
		maxRowless: maxRowless,
		maxLag:     maxLag,
	}
}

// unlock gives the mutex back. If something may have become claimable, it fills the slot of Ready.
func (s *Store) unlock() {
	wake := s.schedule.TakeWake()
	s.mu.Unlock()
	if wake {
		s.waker.wakeHere()
	}
}

// shareOf returns the share of a subscription.
func (m *memory) shareOf(num uint64) *share { return &m.shares[num%shareCount] }

// feed takes in a first attempt that has no row. That of a share that is being loaded waits until
// it is: the load may have it too.
func (m *memory) feed(num, seq uint64, now int64) {
	m.lastSeq = max(m.lastSeq, seq)
	switch sh := m.shareOf(num); sh.state {
	case shareOwned, shareLeaving:
		m.schedule.AddImplicit(m.schedule.Ensure(num), seq, now)
	case shareLoading:
		sh.fed = append(sh.fed, fed{num, seq})
	}
}

// moved is what has become of a delivery.
type moved struct {
	num, seq uint64
	pending  bool
	behind   bool
	due      int64 // as the database has it: see positionOf
	endLease bool
}

// apply takes in what has become of a delivery of a share that is this replica's.
func (m *memory) apply(c moved, now int64) {
	m.lastSeq = max(m.lastSeq, c.seq)
	if sh := m.shareOf(c.num); sh.state != shareOwned && sh.state != shareLeaving {
		return // a load that is under way, or one to come, reads it
	}
	q := m.schedule.Sub(c.num)
	if q == nil {
		if !c.pending {
			return
		}
		q = m.schedule.Ensure(c.num)
	}
	m.schedule.Change(q, c.seq, schedule.Change{
		Pending: c.pending, Blocked: c.behind, EndLease: c.endLease,
		Position: positionOf(c.due, c.seq),
	}, now)
}

// present returns the lease that a token is for; nil if the token is worth nothing.
func (m *memory) present(token uint64, subscriptionID, eventID string) *lease {
	l := m.schedule.Present(token)
	if l == nil || l.Data.eventID != eventID {
		return nil
	}
	if sub := l.Sub.Data.sub; sub == nil || sub.ID != subscriptionID {
		return nil
	}
	return l
}

// takeState takes in what the database says of a subscription.
func (m *memory) takeState(q *queue, st *subscriptionState, now int64) {
	q.Data.sub = &st.sub.Subscription
	if st.canceledTo > q.Data.canceledTo {
		q.Data.canceledTo = st.canceledTo
		m.schedule.Cancel(q, st.canceledTo, now)
		m.schedule.Restart(q, now)
	}
}
