package boltstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// TestIDs publishes events under IDs in three orders, in calls of one and of many, closing the
// store now and then, and looks after each call for one that is stored and for one that is not.
func TestIDs(t *testing.T) {
	const n = 400
	for _, tt := range []struct {
		name string
		id   func(i int) string
	}{
		{"ascending", func(i int) string { return fmt.Sprintf("id-%03d", i) }},
		{"descending", func(i int) string { return fmt.Sprintf("id-%03d", n-i) }},
		{"in any order", func(i int) string { return fmt.Sprintf("id-%03d", i*151%n) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := create(t, nil)
			sub := subscribe(t, s)
			var all []events.Event
			for len(all) < n {
				i := len(all)
				var evs []events.Event
				for range min(1+rand.IntN(4)*rand.IntN(30), n-i) {
					e := Event(tt.id(i))
					if i%100 == 50 {
						e = longEvent(e.ID)
					}
					evs = append(evs, e)
					i++
				}
				all = append(all, evs...)
				if err := s.Enqueue(t.Context(), evs...); err != nil {
					t.Fatal(err)
				}
				if rand.IntN(8) == 0 {
					s = restart(t, s, nil)
				}
				other := all[rand.IntN(len(all))]
				id := other.ID
				if err := s.Enqueue(t.Context(), other); err != nil {
					t.Fatalf("%s again: %v", id, err)
				}
				other.Payload = []byte("1")
				if err := s.Enqueue(t.Context(), other); !errors.Is(err, store.ErrConflict) {
					t.Fatalf("another event as %s: got error %v, want store.ErrConflict", id, err)
				}
				if _, err := s.Attempts(t.Context(), sub, id); err != nil {
					t.Fatalf("attempts of %s: %v", id, err)
				}
				if _, err := s.Attempts(t.Context(), sub, id+"x"); !errors.Is(err,
					store.ErrNotFound) {
					t.Fatalf("attempts of %sx: got error %v, want store.ErrNotFound", id, err)
				}
			}
			verify(t, s)
			if got := len(drain(t, s)); got != n {
				t.Errorf("claimed %d, want %d", got, n)
			}
		})
	}
}

// longEvent returns an event that is too long to be looked at for its ID.
func longEvent(id string) events.Event {
	e := Event(id)
	e.Payload = []byte(`"` + strings.Repeat("x", 8<<10) + `"`)
	return e
}

// TestIDsOfLongEvents publishes one, which is then in the index: verify looks.
func TestIDsOfLongEvents(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "event", 3)
	if err := s.Enqueue(t.Context(), longEvent("long")); err != nil {
		t.Fatal(err)
	}
	verify(t, s)
}

// TestIDsGivenTwice gives events of the same ID to one call, beside each other and apart: the same
// event is stored once, and another is a conflict.
func TestIDsGivenTwice(t *testing.T) {
	for _, ids := range [][]string{
		{"a", "a"}, {"a", "b", "b", "c"}, {"b", "a", "b"}, {"a", "b", "a"},
	} {
		s := create(t, nil)
		subscribe(t, s)
		var evs []events.Event
		distinct := make(map[string]bool)
		for _, id := range ids {
			evs = append(evs, Event(id))
			distinct[id] = true
		}
		other := slices.Clone(evs)
		for i := range other {
			other[i].Payload = fmt.Appendf(nil, "%d", i)
		}
		if err := s.Enqueue(t.Context(), other...); !errors.Is(err, store.ErrConflict) {
			t.Errorf("other events as %q: got error %v, want store.ErrConflict", ids, err)
		}
		if err := s.Enqueue(t.Context(), evs...); err != nil {
			t.Fatalf("%q: %v", ids, err)
		}
		stats, err := s.Stats(t.Context(), "")
		if err != nil || stats.Pending != len(distinct) {
			t.Errorf("%q: %d pending and error %v, want %d", ids, stats.Pending, err, len(distinct))
		}
	}
}

// TestIDsTogether publishes an event several times while a commit is under way, so that they share
// the next.
func TestIDsTogether(t *testing.T) {
	const n = 100
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "z", 1) // above the others, so that they are looked for
	for i := range n {
		var wg sync.WaitGroup
		for j := range 12 {
			id := fmt.Sprintf("id-%03d", i)
			if j < 4 {
				id = fmt.Sprintf("before-%03d-%d", i, j)
			}
			wg.Go(func() {
				if err := s.Enqueue(t.Context(), Event(id)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	verify(t, s)
	if got := len(drain(t, s)); got != 5*n+1 {
		t.Errorf("claimed %d, want %d", got, 5*n+1)
	}
}

// TestIDsOfTheHost publishes under the same IDs in transactions of the host of which some are
// undone.
func TestIDsOfTheHost(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, nil)
	subscribe(t, s)
	stored := make(map[string]bool)
	errHost := errors.New("no stock")
	for i := range 300 {
		var want error
		if rand.IntN(3) == 0 {
			want = errHost
		}
		ids := []string{fmt.Sprintf("z-%03d", 299-i), fmt.Sprintf("a-%03d", 299-i),
			fmt.Sprintf("z-%03d", 299-rand.IntN(i+1))}
		err := db.Update(func(tx *bolt.Tx) error {
			for _, id := range ids {
				if err := enqueueIn(s, tx, Event(id)); err != nil {
					return err
				}
			}
			return want
		})
		if err != want {
			t.Fatal(err)
		}
		if err == nil {
			for _, id := range ids {
				stored[id] = true
			}
		}
		publish(t, s, fmt.Sprintf("b%d", 299-i), i%3)
	}
	verify(t, s)
	got := 0
	for _, c := range drain(t, s) {
		if !strings.HasPrefix(c.EventID, "b") {
			got++
			if !stored[c.EventID] {
				t.Errorf("%s was undone, or is there twice", c.EventID)
			}
			delete(stored, c.EventID)
		}
	}
	if len(stored) > 0 {
		t.Errorf("%d are not there", len(stored))
	}
	if got == 0 {
		t.Error("there is none")
	}
}

// TestIDsWithoutTheirMark publishes when nobody can say how far the index goes.
func TestIDsWithoutTheirMark(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "event", 200)
	err := s.DB().Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("outhook/meta")).Put([]byte("indexed"), []byte("damaged"))
	})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, "another", 10)
	publish(t, s, "event", 200)
	verify(t, s)
	if got := len(drain(t, s)); got != 210 {
		t.Errorf("claimed %d, want 210", got)
	}
}

// TestIDsBesideADamagedEvent publishes while one of the latest events can't be read.
func TestIDsBesideADamagedEvent(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "event", 3)
	if !s.Damage("events") {
		t.Fatal("there is no event")
	}
	s = restart(t, s, nil)
	publish(t, s, "another", 200) // below the others, so that they are looked at
	publish(t, s, "event", 3)
	got := make(map[string]int)
	for _, c := range drain(t, s) {
		got[c.EventID]++
	}
	if len(got) != 203 || got["event-0"] != 1 || got["event-1"] != 1 {
		t.Errorf("got %d events, want the 203 that can be read, once each", len(got))
	}
}

// TestIDsOfRemovedEvents publishes under the ID of an event in the transaction that removes it,
// which has looked for another ID before.
func TestIDsOfRemovedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		subscribe(t, s)
		publish(t, s, "removed", 3)
		finish(t, s, claim(t, s, 3), store.Delivered, 0)
		time.Sleep(time.Hour)
		// The first step makes room for the next to remove.
		if err := pruneDelivered(t, s); err != nil {
			t.Fatal(err)
		}
		inOneCommit(t, s,
			func() error { return s.Enqueue(t.Context(), Event("first")) }, // is under way
			func() error { return s.Enqueue(t.Context(), Event("a")) },
			func() error { return pruneDelivered(t, s) },
			func() error { return s.Enqueue(t.Context(), Event("removed-0")) },
		)
		verify(t, s)
		var got []string
		for _, c := range drain(t, s) {
			got = append(got, c.EventID)
		}
		if want := "[first a removed-0]"; fmt.Sprint(got) != want {
			t.Errorf("claimed %v, want %s", got, want)
		}
	})
}

// TestIDsAllRemoved publishes in the transaction that removes the IDs of all other events, in a
// store that does not know yet which ID is the highest.
func TestIDsAllRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		subscribe(t, s)
		publish(t, s, strings.Repeat("removed", 10), 400) // several pages of IDs
		drain(t, s)
		time.Sleep(time.Hour)
		// The first step makes room for the next to remove.
		if err := pruneDelivered(t, s); err != nil {
			t.Fatal(err)
		}
		s = restart(t, s, nil)
		inOneCommit(t, s,
			func() error { return s.SetFormat(2) }, // is under way
			func() error { return pruneDelivered(t, s) },
			func() error { return s.Enqueue(t.Context(), Event("after")) },
		)
		verify(t, s)
		if claims := drain(t, s); len(claims) != 1 || claims[0].EventID != "after" {
			t.Errorf("claimed %+v, want the event that came after", claims)
		}
	})
}

func pruneDelivered(t *testing.T, s *boltstore.Store) error {
	_, err := s.Prune(t.Context(), store.Retention{Delivered: time.Minute})
	return err
}

// inOneCommit calls operations, in a bubble. The first is under way when the others come, so that
// these share the next commit, in their order.
func inOneCommit(t *testing.T, s *boltstore.Store, operations ...func() error) {
	t.Helper()
	hold := make(chan struct{})
	s.FailCommits(func(commit func() error) error {
		<-hold
		return commit()
	})
	var wg sync.WaitGroup
	for _, f := range operations {
		wg.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
	}
	close(hold)
	wg.Wait()
	s.FailCommits(nil)
}

// TestIDsOfManyTenantsAreBesideEachOther publishes under ascending IDs, in calls that each have an
// event of 64 tenants, and compares the pages that are written with those of a single tenant: the
// index must not take a page for each tenant.
func TestIDsOfManyTenantsAreBesideEachOther(t *testing.T) {
	pages := func(tenants int) int64 {
		s := create(t, nil)
		for i := range tenants {
			_, err := s.CreateSubscription(t.Context(), store.Subscription{
				ID: fmt.Sprintf("00000000-0000-4000-8000-%012x", i), Tenant: fmt.Sprintf("tenant-%02d", i),
				URL: "https://endpoint.example/", Status: store.Subscribed,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		before := s.DB().Stats()
		for call := range 60 {
			evs := make([]events.Event, 64)
			for i := range evs {
				evs[i] = Event(fmt.Sprintf("id-%06d", call*len(evs)+i))
				evs[i].Tenant = fmt.Sprintf("tenant-%02d", i%tenants)
			}
			if err := s.Enqueue(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
		}
		after := s.DB().Stats()
		diff := after.Sub(&before)
		verify(t, s)
		return diff.TxStats.GetWrite()
	}
	one, many := pages(1), pages(64)
	t.Logf("pages written: %d for one tenant, %d for 64", one, many)
	if many > one*3/2 {
		t.Errorf("%d pages were written for 64 tenants, want about the %d of one", many, one)
	}
}
