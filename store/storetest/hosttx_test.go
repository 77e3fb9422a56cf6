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

func beginMem(_ *testing.T, s store.Store) storetest.HostTx { return s.(*memstore.Store).Begin() }

// losing is a transaction that loses all but the first event.
type losing struct {
	*memstore.Tx
	some bool
}

func (tx *losing) Enqueue(ctx context.Context, evs ...events.Event) error {
	if tx.some || len(evs) == 0 {
		return nil
	}
	tx.some = true
	return tx.Tx.Enqueue(ctx, evs[0])
}

// eager enqueues at once, also if the transaction is rolled back, and calls at once.
type eager struct {
	*memstore.Tx
	s store.Store
}

func (tx *eager) Enqueue(ctx context.Context, evs ...events.Event) error {
	return tx.s.Enqueue(ctx, evs...)
}

func (tx *eager) OnCommit(f func()) bool { f(); return true }

// half keeps the valid events of a call that fails.
type half struct{ *memstore.Tx }

func (tx *half) Enqueue(ctx context.Context, evs ...events.Event) error {
	for _, ev := range evs {
		if err := tx.Tx.Enqueue(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}

// uncounted knows nothing of what is pending, and forgets what it is to call.
type uncounted struct{ *memstore.Tx }

func (tx *uncounted) CountPending(context.Context, string, int) (int, error) { return 0, nil }
func (tx *uncounted) OnCommit(func()) bool                                   { return true }

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
		seen  bool // when it is compared with memstore
	}{
		{"enqueues before the commit", func(_ *testing.T, s store.Store) storetest.HostTx {
			return &eager{s.(*memstore.Store).Begin(), s}
		}, []string{"host-transactions/commit", "host-transactions/rollback",
			"host-transactions/on-commit"}, true},
		{"loses an event at the commit", func(_ *testing.T, s store.Store) storetest.HostTx {
			return &losing{Tx: s.(*memstore.Store).Begin()}
		}, []string{"host-transactions/commit", "host-transactions/several"}, true},
		{"stores a part of an invalid call", func(_ *testing.T, s store.Store) storetest.HostTx {
			return &half{s.(*memstore.Store).Begin()}
		}, []string{"host-transactions/invalid"}, false},
		{"counts nothing and forgets the calls", func(_ *testing.T, s store.Store) storetest.HostTx {
			return &uncounted{s.(*memstore.Store).Begin()}
		}, []string{"host-transactions/count", "host-transactions/on-commit"}, false},
	} {
		suite := storetest.Suite{Open: openMemory, Begin: br.begin}
		for _, rule := range br.rules {
			if violated, _ := suite.Violations(t, rule); len(violated) == 0 {
				t.Errorf("a store that %s, rule %s: got no violation, want one", br.name, rule)
			}
		}
		if !br.seen {
			continue
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
	*memstore.Tx
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
			return &lockedTx{l.Store.Begin(), l.mu}
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
