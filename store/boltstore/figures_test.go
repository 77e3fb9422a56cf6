package boltstore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// wantFigures wants so many successes in the figures, at each resolution.
func wantFigures(t *testing.T, what string, s *boltstore.Store, q store.FiguresQuery, want int) {
	t.Helper()
	for _, q.Per = range []store.Resolution{store.PerMinute, store.PerHour} {
		f, err := s.Figures(t.Context(), q)
		n := 0
		for i := range f.Sums {
			n += f.Sums[i].Delivered
		}
		if err != nil || n != want {
			t.Errorf("%s: got %d delivered, %v, want %d", what, n, err, want)
		}
	}
}

// TestFiguresOfATenant gives attempts to some subscriptions of some tenants, at random, and adds up
// those of each: what the file has, and what memory has.
func TestFiguresOfATenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tenants, each = 3, 9
		s := create(t, nil)
		r := rand.New(rand.NewPCG(3, 4))
		for i := range tenants * each {
			if _, err := s.CreateSubscription(t.Context(), store.Subscription{
				ID: fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", i), Tenant: fmt.Sprint(i % tenants),
				Events: []string{fmt.Sprintf("of.n%d", i)}, URL: "https://endpoint.example/",
				Status: store.Subscribed,
			}); err != nil {
				t.Fatal(err)
			}
		}
		counted, all := make(map[string]int), 0
		for range 6 {
			for range 10 {
				i := r.IntN(tenants * each)
				ev := Event(fmt.Sprint("event-", all))
				ev.Tenant, ev.Type = fmt.Sprint(i%tenants), fmt.Sprintf("of.n%d", i)
				if err := s.Enqueue(t.Context(), ev); err != nil {
					t.Fatal(err)
				}
				counted[ev.Tenant]++
				all++
			}
			drain(t, s)
			for tenant, n := range counted {
				wantFigures(t, "of tenant "+tenant, s, store.FiguresQuery{Tenant: tenant}, n)
			}
			wantFigures(t, "of all", s, store.FiguresQuery{AnyTenant: true}, all)
			wait(7 * time.Minute)
		}
		s = restart(t, s, nil)
		wantFigures(t, "of all after a restart", s, store.FiguresQuery{AnyTenant: true}, all)
		verify(t, s)
	})
}

// TestFiguresDuringACommit asks for them while they are on their way to the file, and there but not
// known to be.
func TestFiguresDuringACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		publish(t, s, "event", 5)
		finish(t, s, claim(t, s, 5), store.Delivered, 0)
		check := func() {
			for what, q := range map[string]store.FiguresQuery{
				"subscription": {SubscriptionID: id}, "tenant": {}, "all": {AnyTenant: true},
			} {
				wantFigures(t, what, s, q, 5)
			}
		}
		commits := 0
		s.FailCommits(func(commit func() error) error {
			check()
			err := commit()
			commits++
			check()
			return err
		})
		wait(10 * time.Second)
		synctest.Wait()
		check()
		if commits != 1 {
			t.Errorf("got %d commits, want 1", commits)
		}
	})
}

// TestFiguresReadLittle counts transactions: figures of all are the same few records however many
// subscriptions there are.
func TestFiguresReadLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		subscribeMany(t, s, 300, "message.created")
		publish(t, s, "event", 2)
		drain(t, s)
		wait(time.Minute)
		before := s.Reads()
		wantFigures(t, "of all", s, store.FiguresQuery{AnyTenant: true}, 600)
		if n := s.Reads() - before; n > 8 {
			t.Errorf("two series took %d transactions, want at most 4 each", n)
		}
	})
}
