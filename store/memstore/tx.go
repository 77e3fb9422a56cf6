package memstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Tx is a transaction in place of one of a host's database, for tests of a host that publishes in
// its transactions. It holds nobody up. It implements [store.Tx], and is safe for concurrent use.
type Tx struct {
	s *Store

	mu       sync.Mutex // guards all below
	evs      []events.Event
	onCommit []func()
	ended    bool
}

var _ store.Tx = (*Tx)(nil)

// errEnded says that a transaction is of no use any more.
var errEnded = errors.New("memstore: the transaction has ended")

// Begin begins a transaction, which Commit or Rollback ends. It takes no lock of the store: what it
// enqueues is checked against what is stored at Commit alone.
func (s *Store) Begin() *Tx { return &Tx{s: s} }

// Enqueue implements [store.Tx]. Whether the ID of an event is taken shows at Commit.
func (tx *Tx) Enqueue(ctx context.Context, evs ...events.Event) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: enqueue: %w", err)
	}
	// Validated now: a host must learn at once what it can't publish. Copies, because the caller may
	// use its own again before the commit.
	own := slices.Clone(evs)
	for i := range own {
		if _, err := own[i].Body(); err != nil {
			return fmt.Errorf("memstore: enqueue: %w", err)
		}
		own[i].Payload = slices.Clone(own[i].Payload)
	}
	// After the loop, which may take long for large events.
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.ended {
		return errEnded
	}
	tx.evs = append(tx.evs, own...)
	return nil
}

// CountPending implements [store.Tx]. What the transaction has enqueued is missing.
func (tx *Tx) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	return tx.s.CountPending(ctx, tenant, limit)
}

// OnCommit implements [store.Tx].
func (tx *Tx) OnCommit(f func()) bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.onCommit = append(tx.onCommit, f)
	return true
}

// Commit stores what was enqueued: all or nothing. It returns the error of Enqueue of the store,
// and the transaction has ended in any case.
func (tx *Tx) Commit(ctx context.Context) error {
	evs, onCommit, err := tx.end()
	if err != nil {
		return err
	}
	// In one call, so that all of them are stored or none.
	if len(evs) > 0 {
		if err := tx.s.Enqueue(ctx, evs...); err != nil {
			return err
		}
	}
	// After the events are stored, and without the mutex: a function of the host may begin another.
	for _, f := range onCommit {
		f()
	}
	return nil
}

// Rollback drops what was enqueued. Nothing that OnCommit was given is called.
func (tx *Tx) Rollback(context.Context) error {
	_, _, err := tx.end()
	return err
}

// end takes what the transaction has. Without the mutex the caller can then call the functions of
// the host.
func (tx *Tx) end() ([]events.Event, []func(), error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.ended {
		return nil, nil, errEnded
	}
	tx.ended = true // also if Commit fails then: a host would roll back and begin anew
	return tx.evs, tx.onCommit, nil
}
