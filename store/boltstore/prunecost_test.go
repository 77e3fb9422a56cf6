package boltstore_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// looked prunes until there is nothing to do, and returns how many records that looked at.
func looked(t *testing.T, s *boltstore.Store, r store.Retention) int {
	t.Helper()
	before := s.Looked()
	if err := pruneAll(t.Context(), s, r); err != nil {
		t.Fatal(err)
	}
	verify(t, s)
	return s.Looked() - before
}

// oldest returns how many deliveries there are.
func oldest(t *testing.T, s *boltstore.Store) int {
	t.Helper()
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{AnyTenant: true, Limit: 1,
		Count: true})
	if err != nil {
		t.Fatal(err)
	}
	return page.Total
}

// The retentions and sizes of the tests of what Prune costs. A run of events that something is to
// be removed of is looked at: that is 64 events with a delivery each.
var costRetention = store.Retention{Delivered: time.Hour, Failed: 240 * time.Hour}

const (
	costEvents = 3000
	costRun    = 2 * 64
	costEmpty  = 1 // the first event that is too young, after a restart
)

// TestPruneCost has events that are kept for the longer retention, and counts what Prune looks at
// as time goes by.
func TestPruneCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		sub := subscribe(t, s)
		publish(t, s, "dead", costEvents)
		for claims := claim(t, s, 100); len(claims) > 0; claims = claim(t, s, 100) {
			finish(t, s, claims, store.Dead, 0)
		}
		publish(t, s, "pending", 1)
		held := claim(t, s, 1)
		publish(t, s, "delivered", 10)
		finish(t, s, claim(t, s, 10), store.Delivered, 0)

		atMost := func(what string, got, limit int) {
			t.Helper()
			if got > limit {
				t.Errorf("%s: Prune has looked at %d records, want at most %d", what, got, limit)
			}
		}
		has := func(what string, want int) {
			t.Helper()
			if got := oldest(t, s); got != want {
				t.Errorf("%s: %d deliveries are stored, want %d", what, got, want)
			}
		}
		atMost("before any retention", looked(t, s, costRetention), costEmpty)
		time.Sleep(2 * time.Hour)
		atMost("when ten are past theirs", looked(t, s, costRetention), costRun*2)
		has("when ten are past theirs", costEvents+1)
		atMost("at once again", looked(t, s, costRetention), costEmpty)

		// One that was pending ends late.
		finish(t, s, held, store.Delivered, 0)
		time.Sleep(2 * time.Hour)
		atMost("when the late one is past its", looked(t, s, costRetention), costRun*2)
		has("when the late one is past its", costEvents)

		// One is redelivered, and another erased, which changes nothing of how long it is kept.
		if _, err := s.Requeue(t.Context(), store.DeliveryQuery{SubscriptionID: sub,
			EventID: "dead-500"}); err != nil {
			t.Fatal(err)
		}
		finish(t, s, claim(t, s, 1), store.Delivered, 0)
		if _, _, err := s.Erase(t.Context(), store.EraseQuery{EventID: "dead-501"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		atMost("when the redelivered one is past its", looked(t, s, costRetention), costRun)
		has("when the redelivered one is past its", costEvents-1)

		// After a restart all is read, once.
		s = restart(t, s, nil)
		if got := looked(t, s, costRetention); got < costEvents {
			t.Errorf("after a restart: Prune has looked at %d records, want all %d", got,
				costEvents)
		}
		atMost("after a restart, at once again", looked(t, s, costRetention), costEmpty)

		// Retentions that have become longer, or for ever, or shorter.
		atMost("with longer retentions", looked(t, s, store.Retention{Delivered: 2 * time.Hour}),
			costEmpty)
		has("with longer retentions", costEvents-1)
		short := store.Retention{Delivered: time.Hour, Failed: time.Hour}
		if got := looked(t, s, short); got < costEvents {
			t.Errorf("with a shorter retention: Prune has looked at %d records, want all %d", got,
				costEvents)
		}
		has("with a shorter retention", 0)
		atMost("with nothing left", looked(t, s, short), 0)
	})
}

// TestPruneCostOfPending has a backlog that is older than the retentions.
func TestPruneCostOfPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, boltstore.WithBudget(500))
		subscribe(t, s)
		publish(t, s, "pending", costEvents)
		time.Sleep(2 * time.Hour)
		short := store.Retention{Delivered: time.Second, Failed: time.Second}
		if got := looked(t, s, short); got > costEmpty {
			t.Errorf("with a backlog: Prune has looked at %d records, want at most %d", got,
				costEmpty)
		}
		if got := len(drain(t, s)); got != costEvents {
			t.Errorf("delivered %d, want %d", got, costEvents)
		}
		time.Sleep(time.Minute)
		looked(t, s, short)
		if got := oldest(t, s); got != 0 {
			t.Errorf("%d deliveries are still stored", got)
		}
	})
}

// TestPruneCostOfDeletion deletes a subscription that only a few events were for, in each way that
// a delivery can be stored: a row, a chunk, and not at all.
func TestPruneCostOfDeletion(t *testing.T) {
	for _, tt := range []struct {
		name   string
		budget int
		finish bool
	}{{"fresh", 0, false}, {"in chunks", 100, false}, {"with rows", 0, true}} {
		for _, reopen := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reopen %v", tt.name, reopen), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					testDeletion(t, tt.budget, tt.finish, reopen)
				})
			})
		}
	}
}

func testDeletion(t *testing.T, budget int, finished, reopen bool) {
	var o *boltstore.Options
	if budget > 0 {
		o = boltstore.WithBudget(budget)
	}
	s := create(t, o)
	gone := subscribe(t, s)
	publish(t, s, "gone", 100)
	if finished {
		drain(t, s)
	}
	kept := subscribe(t, s)
	setEvents(t, s, gone)
	publish(t, s, "kept", costEvents)
	if reopen {
		s = restart(t, s, o)
	}
	looked(t, s, costRetention)
	if err := s.DeleteSubscription(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if got := looked(t, s, costRetention); got > 6*costRun && !reopen {
		t.Errorf("Prune has looked at %d records, want at most %d", got, 6*costRun)
	}
	if got := oldest(t, s); got != costEvents {
		t.Errorf("%d deliveries are stored, want %d", got, costEvents)
	}
	if _, err := s.Attempts(t.Context(), kept, "kept-0"); err != nil {
		t.Error(err)
	}
	if n := s.Events(); n != costEvents {
		t.Errorf("%d events are stored, want %d", n, costEvents)
	}
}

// setEvents has a subscription want nothing that the tests publish.
func setEvents(t *testing.T, s *boltstore.Store, id string) {
	t.Helper()
	_, err := s.UpdateSubscription(t.Context(), id, func(sub *store.Subscription) error {
		sub.Events = []string{"another.type"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPruneTogether prunes in several goroutines at once, which may overtake each other.
func TestPruneTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		subscribe(t, s)
		for round := range 20 {
			publish(t, s, fmt.Sprint("round-", round), 150+round*17)
			drain(t, s)
			time.Sleep(2 * time.Hour)
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if err := pruneAll(t.Context(), s, costRetention); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if got := oldest(t, s); got != 0 {
				t.Fatalf("round %d: %d deliveries are still stored", round, got)
			}
		}
		verify(t, s)
		if n := s.Events(); n != 0 {
			t.Errorf("%d events are left", n)
		}
	})
}

// TestPruneAfterDamage deletes a subscription with a chunk that can't be read.
func TestPruneAfterDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, boltstore.WithBudget(100))
		id := subscribe(t, s)
		publish(t, s, "gone", 1000)
		looked(t, s, costRetention)
		if !s.Damage("chunks") {
			t.Fatal("there is no chunk")
		}
		if err := s.DeleteSubscription(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		looked(t, s, costRetention)
		if n := s.Events(); n != 0 {
			t.Errorf("%d events are stored that are for nobody", n)
		}
	})
}

// TestPruneGoesOn has a host leave Prune when there is more to do. When it prunes again, Prune says
// that there is no more only when what was past its retention by then is gone too.
func TestPruneGoesOn(t *testing.T) {
	s := inHost(t, unsyncedDB(t), nil)
	subscribe(t, s)
	publish(t, s, "early", 1100)
	deliverAll(t, s, 1100)
	r := store.Retention{Delivered: 1, Failed: 1}
	if more, err := s.Prune(t.Context(), r); !more || err != nil {
		t.Fatalf("Prune: got %v, %v, want more", more, err)
	}
	publish(t, s, "late", 300)
	deliverAll(t, s, 300)
	pruneWatched(t, s, r, 100)
	if n := s.Rows(); n != 0 {
		t.Errorf("%d deliveries are left, and Prune says that there is no more", n)
	}
	verify(t, s)
}
