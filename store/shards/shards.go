package shards

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/store"
)

var _ store.Store = (*Store)(nil)

// MaxShards is how many stores a [Store] has at most.
const MaxShards = 255

// Store is a [store.Store] over several. Make one with [New]. It is safe for concurrent use.
type Store struct {
	pick   func(tenant string) int
	shards []*shard

	ready    chan struct{}   // see Ready
	life     context.Context // ends with Close
	end      context.CancelFunc
	closed   atomic.Bool
	starting sync.Mutex // guards working.Add against Close
	working  sync.WaitGroup

	where    locations
	homes    homes
	moving   chan struct{} // has one slot, for the Move that is under way
	pruning  chan struct{} // likewise
	claiming chan struct{} // has one slot, for the Claim that is under way
	turns    []*shard      // whose turn is next comes first; the holder of the slot's
	leases   leases
	limited  atomic.Bool // a limit that the shards share kept something back in the last Claim
}

// New returns a Store over the given ones. pick returns which of them, counted from 0, has a
// tenant's data; it must be quick, safe for concurrent use, and always say the same of a tenant,
// whatever [Store.Move] has done. The order of the stores must not change either, from one start of
// the host to the next; more can be added at the end.
//
// The stores stay the caller's to close, after the Store itself. Nobody else may read from their
// Ready. There must be at least one and at most MaxShards, all different.
func New(pick func(tenant string) int, stores ...store.Store) (*Store, error) {
	switch {
	case pick == nil:
		return nil, errors.New("shards: pick is nil; " +
			"give a function that says which store has a tenant")
	case len(stores) == 0:
		return nil, errors.New("shards: there are no stores; give at least one")
	case len(stores) > MaxShards:
		return nil, fmt.Errorf("shards: there are %d stores; give at most %d", len(stores),
			MaxShards)
	}
	s := &Store{
		pick:     pick,
		ready:    make(chan struct{}, 1),
		moving:   make(chan struct{}, 1),
		pruning:  make(chan struct{}, 1),
		claiming: make(chan struct{}, 1),
	}
	for i, inner := range stores {
		if inner == nil {
			return nil, fmt.Errorf("shards: store %d is nil", i)
		}
		if j := slices.Index(stores[:i], inner); j >= 0 {
			return nil, fmt.Errorf("shards: stores %d and %d are the same", j, i)
		}
		sh := &shard{Store: inner, index: i}
		sh.recorder.waiting = make(chan struct{}, maxWaiting)
		s.shards = append(s.shards, sh)
	}
	s.turns = slices.Clone(s.shards)
	s.life, s.end = context.WithCancel(context.Background())
	for _, sh := range s.shards {
		s.start(func() { s.forward(sh) })
	}
	return s, nil
}

// Format writes a name, whatever the verb: what the Store holds is nobody's to print.
func (s *Store) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "shards.Store") }

// closeWait is how long Close waits for calls of the shards that are under way. A store returns
// soon after a context has ended; one that hangs must not keep the host from ending.
const closeWait = 5 * time.Second

// Close ends the use of the Store: after it, every method returns [store.ErrClosed]. It gives back
// what was claimed from a slow shard and not handed out. The stores stay open. Outcomes that a
// shard in trouble has not taken by then are lost: their deliveries are attempted again when their
// leases have run out. Calling it again does nothing. It returns nil.
func (s *Store) Close() error {
	s.starting.Lock() // what start has begun before is waited for
	wasClosed := s.closed.Swap(true)
	s.starting.Unlock()
	if wasClosed {
		return nil
	}
	s.end()
	ended := make(chan struct{})
	go func() {
		s.working.Wait()
		close(ended)
	}()
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	select {
	case s.claiming <- struct{}{}:
		s.releaseHeld()
		<-s.claiming
	case <-timer.C:
	}
	s.wake() // who waits for work learns that there is none any more
	return nil
}

// start runs f in a goroutine that Close waits for, and reports whether it does: not after Close.
func (s *Store) start(f func()) bool {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.closed.Load() {
		return false
	}
	s.working.Go(f)
	return true
}

// begin starts a method.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed.Load() {
		return store.ErrClosed
	}
	return nil
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} { return s.ready }

// wake fills the slot of Ready.
func (s *Store) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// forward passes on what a shard says.
func (s *Store) forward(sh *shard) {
	for {
		select {
		case <-sh.Ready():
			sh.stir()
			s.wake()
		case <-s.life.Done():
			return
		}
	}
}
