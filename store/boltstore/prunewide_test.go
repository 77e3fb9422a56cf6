package boltstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// hangs is how long a call takes that never returns: hundreds of times of what any of these tests
// needs.
const hangs = 5 * time.Minute

// within fails the test with what all goroutines are doing when f hangs.
func within(t *testing.T, what string, f func() error) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- f() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	case <-time.After(hangs):
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s has not returned after %v\n%s", what, hangs,
			stacks[:runtime.Stack(stacks, true)])
	}
}

// pruneWatched prunes until there is nothing to do, and fails when a step hangs or there are too
// many.
func pruneWatched(t *testing.T, s *boltstore.Store, r store.Retention, maxSteps int) {
	t.Helper()
	for more := true; more; maxSteps-- {
		if maxSteps == 0 {
			t.Fatal("Prune always has more to do")
		}
		within(t, "Prune", func() (err error) {
			more, err = s.Prune(t.Context(), r)
			return err
		})
	}
}

// pruneAll prunes until there is nothing to do.
func pruneAll(ctx context.Context, s *boltstore.Store, r store.Retention) error {
	for {
		if more, err := s.Prune(ctx, r); !more || err != nil {
			return err
		}
	}
}

// TestPruneWide lets so much be pending that it gets into chunks, delivers it, and prunes it before
// the chunks have been trimmed: Prune then empties their bucket. It does so in the life of the
// store that delivered, and in the next.
func TestPruneWide(t *testing.T) {
	sizes := []struct {
		subscriptions, events int
		long                  bool
	}{
		{22_000, 3, false}, {35_000, 2, true}, {40_000, 3, true}, {66_000, 1, true},
		{10_000, 8, true}, {1_000, 80, true},
	}
	for _, size := range sizes {
		for _, reopen := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d for %d, reopen %v", size.events, size.subscriptions, reopen),
				func(t *testing.T) {
					if (size.long || !reopen) && os.Getenv("OUTHOOK_LONG") == "" {
						t.Skip("OUTHOOK_LONG is not set")
					}
					testPruneWide(t, size.subscriptions, size.events, reopen)
				})
		}
	}
}

func testPruneWide(t *testing.T, subscriptions, events int, reopen bool) {
	db := unsyncedDB(t)
	s := inHost(t, db, nil)
	subscribeMany(t, s, subscriptions, "message.created")
	publish(t, s, "event", events)
	deliverAll(t, s, subscriptions*events)
	if reopen {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = inHost(t, db, nil)
	}
	r := store.Retention{Delivered: 1, Failed: 1}
	pruneWatched(t, s, r, 10+subscriptions*events/20) // a step looks at 256 deliveries at least
	within(t, "Enqueue", func() error { return s.Enqueue(t.Context(), Event("later")) })
	verify(t, s)
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{EventID: "event-0", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) > 0 {
		t.Errorf("%+v is still there", page.Items[0])
	}
}

// unsyncedDB opens a database that is not synced: tests that store much need not wait for the disk.
func unsyncedDB(t *testing.T) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "host.db"), 0o600, &bolt.Options{
		NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// deliverAll claims and delivers until n deliveries are done.
func deliverAll(t *testing.T, s *boltstore.Store, n int) {
	t.Helper()
	done := 0
	for done < n {
		claims := claim(t, s, 2000)
		if len(claims) == 0 {
			t.Fatalf("delivered %d of %d, and nothing is due", done, n)
		}
		finish(t, s, claims, store.Delivered, 0)
		done += len(claims)
	}
}
