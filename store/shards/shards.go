package shards

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
	"github.com/outhook/outhook/store/shards/internal/claims"
)

var _ store.Store = (*Store)(nil)

// MaxShards is how many stores a [Store] has at most. A claim, a listing or a count asks all of
// them, and a cursor of a listing names each.
const MaxShards = 255

// Store is a [store.Store] over several. Make one with [New]. It is safe for concurrent use.
type Store struct {
	shards []*shard

	ready  chan struct{} // see Ready
	calls  *calls.Group  // of the shards, and all goroutines
	claims *claims.Claims

	where   locations
	homes   homes
	moving  chan struct{} // has one slot, for the Move that is under way
	pruning chan struct{} // likewise
	loading atomic.Bool   // see freshen
}

// New returns a Store over the given ones. pick returns which of them, counted from 0, has a
// tenant's data; it must be quick, safe for concurrent use, and always say the same of a tenant,
// whatever [Store.Move] has done. The order of the stores must not change either, from one start of
// the host to the next; more can be added at the end.
//
// The stores stay the caller's to close, after the Store itself. Nobody else may read from their
// Ready. There must be at least one and at most MaxShards, all different.
//
// New asks the stores which tenants were moved, and waits a second for that at most. One that fails
// or takes longer is no error: it is asked again when a call needs it.
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
		ready:   make(chan struct{}, 1),
		calls:   calls.NewGroup(),
		moving:  make(chan struct{}, 1),
		pruning: make(chan struct{}, 1),
	}
	var sources []claims.Source
	for i, inner := range stores {
		if inner == nil {
			return nil, fmt.Errorf("shards: store %d is nil", i)
		}
		// A tenant would have two homes that are one, and a move between them would remove it.
		if j := slices.Index(stores[:i], inner); j >= 0 {
			return nil, fmt.Errorf("shards: stores %d and %d are the same", j, i)
		}
		sh := s.newShard(inner, i)
		s.shards, sources = append(s.shards, sh), append(sources, sh)
	}
	s.homes = homes{pick: pick, shards: s.shards, where: &s.where}
	s.claims = claims.New(sources, claims.Config{
		Calls: s.calls,
		Wake:  s.wake,
		Find: func(id string) (int, bool) {
			if sh := s.where.find(id); sh != nil {
				return sh.index, true
			}
			return 0, false
		},
		Found: func(id string, i int) { s.where.remember(id, s.shards[i]) },
	})
	for _, sh := range s.shards {
		s.calls.Start(func() { s.forward(sh) })
	}
	if len(s.shards) > 1 {
		// Now, as a transaction of the host can't ask: see Tx.
		ctx, cancel := context.WithTimeout(s.calls.Context(), startWait)
		defer cancel()
		s.load(ctx)
	}
	return s, nil
}

// Format writes a name for every verb: what the Store holds must not be printed.
func (s *Store) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "shards.Store") }

// closeWait is how long Close waits for calls of the shards that are under way. A store returns
// soon after a context has ended; one that hangs must not keep the host from ending.
const closeWait = 5 * time.Second

// Close ends the use of the Store: after it, every method returns [store.ErrClosed]. It gives back
// what was claimed from a slow shard and not handed out. The stores stay open. Outcomes that a
// shard in trouble has not taken by then are lost: their deliveries are attempted again when their
// leases have run out. Calling it again does nothing. It returns nil.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	if !s.calls.Close(ctx) {
		return nil
	}
	// Now no call of a shard is under way, but for one that hangs.
	s.claims.Close(ctx)
	s.wake() // who waits for work learns that there is none any more
	return nil
}

// begin starts a method.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.calls.IsClosed() {
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

// forward passes on what a shard says. Each shard has one reader, as the contract of Ready wants
// it, and all together fill one slot.
func (s *Store) forward(sh *shard) {
	for {
		select {
		case <-sh.Ready():
			// In this order: the Claim that the wake leads to must find that the shard has stirred.
			sh.stir()
			s.wake()
		case <-s.calls.Context().Done():
			return
		}
	}
}
