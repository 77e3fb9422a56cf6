package memory

import (
	"math/rand/v2"
	"sync"

	"github.com/outhook/outhook/store/internal/schedule"
)

// What memory knows of a subscription of a share that is this replica's, and of each lease. The
// schedule decides with it which delivery is next.
type (
	Schedule = schedule.Schedule[Subscriber, Claimed]
	Queue    = schedule.Sub[Subscriber, Claimed]
	Lease    = schedule.Lease[Subscriber, Claimed]
	Round    = schedule.Round[Subscriber, Claimed]
)

const (
	// MaxWindow is how many positions the schedule holds of each order that the database has in
	// full.
	MaxWindow = 128

	// maxIdle is how many queues are kept that have nothing.
	maxIdle = 4096
)

// Claimed is what memory has of a lease, once Claim has read the delivery.
type Claimed struct {
	EventID  string
	Key      string
	Stamp    uint64 // when the delivery became pending: if the database has another, the token is void
	Attempts int
	HasRow   bool // the delivery had a row
}

// Memory is what a replica knows of its shares. Make one with [New]. The caller of any
// method, and any user of the Schedule, holds its lock.
type Memory struct {
	mu   sync.Mutex // guards all below
	wake func()

	Schedule *Schedule
	shares   [Shares]share

	publications // for shares of this replica

	Looks Looks // at notices

	rowsGiven uint64 // see RowsGiven

	doubted bool // see Doubt
	server  int  // see Server

	// changed are the deliveries that have changed since BeginResync: what was read of them may be
	// older. Nil if nothing is being read.
	changed map[Delivery]bool

	maxRowless int // see OldestRowless
	maxLag     uint64
}

// New returns a Memory of a replica that owns nothing yet. wake is called, without the lock, when
// something may have become claimable.
func New(wake func()) *Memory {
	return &Memory{
		wake: wake,
		// By chance, so that a token of another owner of the share, or of this process before it
		// was restarted, is not good here. Half of all numbers are left to count up.
		Schedule: schedule.New[Subscriber, Claimed](schedule.Options{
			Window: MaxWindow, Idle: maxIdle, FirstToken: rand.Uint64() >> 1,
		}),
		publications: publications{floors: make(map[*Publication]uint64)},
		maxRowless:   MaxRowless,
		maxLag:       MaxLag,
	}
}

// Lock takes the lock.
func (m *Memory) Lock() { m.mu.Lock() }

// Unlock gives the lock back. If something may have become claimable, it wakes who waits for that.
func (m *Memory) Unlock() {
	wake := m.Schedule.TakeWake()
	m.mu.Unlock()
	// Without the lock, since a claim that wakes up takes it at once.
	if wake {
		m.wake()
	}
}
