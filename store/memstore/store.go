package memstore

import (
	"context"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/asking"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/rollup"
	"github.com/outhook/outhook/store/internal/unwanted"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in memory. Make one with [New]. It is safe for concurrent use. It has
// one mutex, which every method takes once and holds until it is done; so each call is at one
// moment.
type Store struct {
	ready chan struct{} // see Ready
	start time.Time     // see begin

	cursors *page.Sealer // of listings, as callers have them
	filters asking.Asker // of who may get events

	mu     sync.Mutex // guards all below
	closed bool       // every method then returns ErrClosed
	state
}

// state is what a store has. Its methods are called with the lock of the store held, and so they
// see and leave it whole.
type state struct {
	wall func() time.Time // the system's clock

	subs  map[string]*subscription // by ID
	order []*subscription          // the same, oldest first

	tenants map[string]store.TenantState // those that are not settled here

	log      log
	ended    ended // for Prune
	unwanted unwanted.Counter

	queue    queue
	lastNum  uint64         // the last number given to a subscription or an event
	attempts *rollup.Buffer // counts of them
}

// New returns an empty store.
func New() *Store {
	return &Store{
		ready:   make(chan struct{}, 1),
		start:   time.Now(),
		cursors: page.NewSealer(page.NewKey()),
		state: state{
			wall:     time.Now,
			subs:     make(map[string]*subscription),
			tenants:  make(map[string]store.TenantState),
			log:      newLog(),
			queue:    newQueue(),
			attempts: rollup.NewBuffer(rollup.Options{}),
		},
	}
}

// Close ends the use of the store: after it, every method returns [store.ErrClosed]. It returns
// nil, also when it is called again.
func (s *Store) Close() error {
	defer s.wakeReader() // a reader that waits for work sees that the store is closed
	// A call that is under way ends first. What is stored stays, for nobody to see.
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} { return s.ready }

// begin starts a method: it takes the lock, which the caller gives back by end, and the time. With
// an error it has taken nothing.
//
// The time is the store's own. It goes on evenly if the system's clock jumps, and everything goes
// by it that is due, held, leased, counted or past its retention. What is compared with the times
// of callers, such as when a subscription was subscribed, is stamped by the system's.
func (s *Store) begin(ctx context.Context) (now time.Time, err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	// Under the lock, so that nothing begins after Close has returned.
	if s.closed {
		s.mu.Unlock()
		return time.Time{}, store.ErrClosed
	}
	// By the monotonic reading that start has.
	now = s.start.Add(time.Since(s.start))
	s.expire(now)
	return now, nil
}

// end ends a method: if something may have become claimable, it fills the slot of Ready. It unlocks
// first, so that whom it wakes does not wait for the lock.
func (s *Store) end() {
	wake := s.queue.TakeWake()
	s.mu.Unlock()
	if wake {
		s.wakeReader()
	}
}

// wakeReader fills the slot of Ready. It never blocks: if the slot is full, its next reader
// will ask for all that there is.
func (s *Store) wakeReader() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// nextNum returns a number larger than all before it. One sequence for both, and none is given
// twice: so a subscription that gets the ID of a deleted one is another to the schedule.
func (s *state) nextNum() uint64 {
	s.lastNum++
	return s.lastNum
}
