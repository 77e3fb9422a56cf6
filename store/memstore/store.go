package memstore

import (
	"context"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in memory. Make one with [New]. It is safe for concurrent use.
type Store struct {
	ready chan struct{}    // see Ready
	start time.Time        // see begin
	wall  func() time.Time // the system's clock

	mu     sync.Mutex // guards all below
	closed bool

	subs  map[string]*subscription // by ID
	order []*subscription          // the same, oldest first

	events map[string]*event // by ID
	log    []*event          // the same, in the order of Enqueue

	lastNum   uint64 // the last number given to a subscription or an event
	lastToken uint64 // the last fencing token given out

	leases   heapOf[*delivery]     // leased deliveries, the first to run out on top
	leasedOf [classes]int          // how many of them are of subscriptions of each class
	rings    rings                 // subscriptions with something to claim
	sleepers heapOf[*subscription] // subscriptions with something to wait for, the first to wake on top
}

// New returns an empty store.
func New() *Store {
	return &Store{
		ready:    make(chan struct{}, 1),
		start:    time.Now(),
		wall:     time.Now,
		subs:     make(map[string]*subscription),
		events:   make(map[string]*event),
		leases:   deliveryHeap(expiresFirst),
		sleepers: heapOf[*subscription]{less: wakesFirst, index: func(sub *subscription) *int { return &sub.bed }},
	}
}

// Close ends the use of the store: after it, every method returns [store.ErrClosed]. It returns nil, also when it is
// called again.
func (s *Store) Close() error {
	defer s.wakeReader() // who waits for work learns that there is none any more
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} { return s.ready }

// wakeReader fills the slot of Ready.
func (s *Store) wakeReader() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// begin starts a method: it takes the lock, which the caller gives back, and the time. With an error it has taken
// nothing.
//
// The time is the store's own. It goes on evenly, whatever becomes of the system's clock, and everything goes by it that
// is due, held, leased, counted or past its retention. What is compared with the times of callers, such as when a
// subscription was subscribed, is stamped by the system's.
func (s *Store) begin(ctx context.Context) (now time.Time, err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return time.Time{}, store.ErrClosed
	}
	return s.start.Add(time.Since(s.start)), nil
}

// nextNum returns a number larger than all before it.
func (s *Store) nextNum() uint64 {
	s.lastNum++
	return s.lastNum
}
