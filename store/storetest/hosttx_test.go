package storetest_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/storetest"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// memTx is a transaction of a host's as a store in memory could have it: it keeps the events until
// it commits.
type memTx struct {
	s    store.Store
	evs  []events.Event
	lose bool // loses all but the first event
}

func (tx *memTx) Enqueue(_ context.Context, evs ...events.Event) error {
	tx.evs = append(tx.evs, evs...)
	return nil
}

func (tx *memTx) Commit(ctx context.Context) error {
	if tx.lose {
		tx.evs = tx.evs[:1]
	}
	return tx.s.Enqueue(ctx, tx.evs...)
}

func (tx *memTx) Rollback(context.Context) error { return nil }

// eager enqueues at once, also if the transaction is rolled back.
type eager struct{ memTx }

func (tx *eager) Enqueue(ctx context.Context, evs ...events.Event) error {
	return tx.s.Enqueue(ctx, evs...)
}
func (tx *eager) Commit(context.Context) error { return nil }

func beginMem(_ *testing.T, s store.Store) storetest.HostTx { return &memTx{s: s} }

func TestHostTransactions(t *testing.T) {
	t.Parallel()
	for _, exclusive := range []bool{false, true} {
		storetest.Suite{Open: openMemory, Begin: beginMem, Exclusive: exclusive, Seeds: 10}.Run(t)
	}
}

func TestHostTransactionBreakages(t *testing.T) {
	t.Parallel()
	for _, br := range []struct {
		name  string
		begin func(*testing.T, store.Store) storetest.HostTx
		rules []string
	}{
		{"enqueues before the commit", func(_ *testing.T, s store.Store) storetest.HostTx {
			return &eager{memTx{s: s}}
		},
			[]string{"host-transactions/commit", "host-transactions/rollback"}},
		{"loses an event at the commit", func(_ *testing.T, s store.Store) storetest.HostTx {
			return &memTx{s: s, lose: true}
		},
			[]string{"host-transactions/commit", "host-transactions/several"}},
	} {
		suite := storetest.Suite{Open: openMemory, Begin: br.begin}
		for _, rule := range br.rules {
			if violated, _ := suite.Violations(t, rule); len(violated) == 0 {
				t.Errorf("a store that %s, rule %s: got no violation, want one", br.name, rule)
			}
		}
		different := slices.ContainsFunc([]uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
			func(seed uint64) bool {
				return suite.Difference(t, seed, storetest.DefaultSteps) != ""
			})
		if !different {
			t.Errorf("a store that %s, compared: got no difference, want one", br.name)
		}
	}
}

// locked is a store whose host transactions keep everybody else out, and that waits for
// them whatever becomes of the context.
type locked struct {
	*memstore.Store
	mu *sync.Mutex // held by a transaction
}

func (s locked) Enqueue(ctx context.Context, evs ...events.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Store.Enqueue(context.WithoutCancel(ctx), evs...)
}

type lockedTx struct {
	memTx
	mu *sync.Mutex
}

func (tx *lockedTx) Rollback(context.Context) error { tx.mu.Unlock(); return nil }

func TestContextBreakage(t *testing.T) {
	t.Parallel()
	suite := storetest.Suite{
		Open: func(*testing.T) store.Store { return locked{memstore.New(), new(sync.Mutex)} },
		Begin: func(_ *testing.T, s store.Store) storetest.HostTx {
			l := s.(locked)
			l.mu.Lock()
			return &lockedTx{memTx{s: l.Store}, l.mu}
		},
		Exclusive: true,
		Bound:     2 * time.Second,
	}
	if violated, _ := suite.Violations(t, "contexts/host-transaction"); len(violated) == 0 {
		t.Error("a store that waits whatever becomes of the context: got no violation, want one")
	}
}

// TestWatchdog shows that a call that never ends is seen, in a bubble and outside, and named with
// its rule: one that computes, for which time stands still in a bubble.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	for _, realTime := range []bool{false, true} {
		var bitten atomic.Pointer[string]
		suite := storetest.Suite{
			Open: func(*testing.T) store.Store {
				b := broken.New()
				b.OnPrune = func(context.Context, store.Retention) (bool, error) {
					for bitten.Load() == nil {
						if !realTime {
							continue
						}
						<-time.After(time.Millisecond)
					}
					return false, nil
				}
				return b
			},
			RealTime: realTime,
			Bound:    time.Second,
		}.WithBite(func(hang string) { bitten.CompareAndSwap(nil, &hang) })
		suite.Violations(t, "bounds/longest-retention")
		want := "storetest: rule longest-retention " +
			"(A retention of MaxDuration, like one of zero, removes nothing.): " +
			"Prune has not returned within 1s, which no call may take"
		if got := bitten.Load(); got == nil || *got != want {
			t.Errorf("real time %t: got %v, want %q", realTime, got, want)
		}
	}
}

// TestSlowInTheBubble shows that a call is seen that waits too long for a timer.
func TestSlowInTheBubble(t *testing.T) {
	t.Parallel()
	b := broken.New()
	b.OnStats = func(ctx context.Context, id string) (store.Stats, error) {
		<-time.After(2 * storetest.DefaultBound)
		return b.Store.Stats(ctx, id)
	}
	suite := storetest.Suite{Open: func(*testing.T) store.Store { return b }}
	if violated, _ := suite.Violations(t, "reads/delivery"); len(violated) == 0 {
		t.Error("a store that waits for a minute: got no violation, want one")
	}
}
