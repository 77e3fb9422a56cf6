package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// keyedEvent returns an event that waits for the ones before it with its key, so that it gets a
// row.
func keyedEvent(id, key string) events.Event {
	e := Event(id)
	e.Key = key
	return e
}

// TestHostCommitsInBetween has a transaction of the host begin and commit when the store's own has
// committed, and before the store has told memory.
func TestHostCommitsInBetween(t *testing.T) {
	for _, tt := range []struct {
		name string
		host func(db *bolt.DB, s *boltstore.Store) error
		want int
	}{
		{"committed", func(db *bolt.DB, s *boltstore.Store) error {
			return db.Update(func(tx *bolt.Tx) error {
				return enqueueIn(s, tx, keyedEvent("host", "k"))
			})
		}, 4},
		{"rolled back, then committed", func(db *bolt.DB, s *boltstore.Store) error {
			undo := errors.New("undo")
			err := db.Update(func(tx *bolt.Tx) error {
				return errors.Join(enqueueIn(s, tx, Event("undone-1"), Event("undone-2"),
					Event("undone-3")), undo)
			})
			if !errors.Is(err, undo) {
				return err
			}
			return db.Update(func(tx *bolt.Tx) error {
				return errors.Join(enqueueIn(s, tx, keyedEvent("host-1", "k")),
					enqueueIn(s, tx, keyedEvent("host-2", "k")))
			})
		}, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := hostDB(t)
			s := inHost(t, db, nil)
			subscribe(t, s)
			if err := s.Enqueue(t.Context(), keyedEvent("first", "k")); err != nil {
				t.Fatal(err)
			}
			s.FailCommits(func(commit func() error) error {
				return errors.Join(commit(), tt.host(db, s))
			})
			if err := s.Enqueue(t.Context(), keyedEvent("own", "k"), Event("free")); err != nil {
				t.Fatal(err)
			}
			s.FailCommits(nil)
			verify(t, s)
			if got := pending(t, s); got != tt.want {
				t.Errorf("Stats: %d pending, want %d", got, tt.want)
			}
			if got := len(drain(t, s)); got != tt.want {
				t.Errorf("claimed %d, want %d", got, tt.want)
			}
		})
	}
}

// TestCountsAmongHostTransactions has everything at once: the host's transactions, of which some
// are rolled back and some come right after a commit of the store's, Enqueue, Finish and Prune.
// Then it compares all that says how much is pending.
func TestCountsAmongHostTransactions(t *testing.T) {
	const n = 100
	db := unsyncedDB(t)
	s := inHost(t, db, boltstore.WithBudget(50))
	for range 3 {
		subscribe(t, s)
	}
	key := func() string { return fmt.Sprint(rand.IntN(5)) }
	var number atomic.Int64
	host := func(ended func()) {
		defer ended()
		undo := errors.New("undo")
		err := db.Update(func(tx *bolt.Tx) error {
			tx.OnCommit(ended) // comes before the store's
			for range 1 + rand.IntN(3) {
				if err := enqueueIn(s, tx, keyedEvent(fmt.Sprintf("host-%d", number.Add(1)),
					key())); err != nil {
					return err
				}
			}
			if rand.IntN(3) == 0 {
				return undo
			}
			return nil
		})
		if err != nil && err != undo {
			t.Error(err)
		}
	}
	var work sync.WaitGroup
	s.FailCommits(func(commit func() error) error {
		err := commit()
		if rand.IntN(4) == 0 && number.Load() < 20*n {
			// The rest of the host's commit may wait for this one, to make room in memory.
			ended := make(chan struct{})
			work.Go(func() { host(sync.OnceFunc(func() { close(ended) })) })
			<-ended
		}
		return err
	})
	for name, do := range map[string]func(i int) error{
		"host": func(int) error { host(func() {}); return nil },
		"own": func(i int) error {
			return s.Enqueue(t.Context(), keyedEvent(fmt.Sprintf("own-%d", i), key()),
				Event(fmt.Sprintf("free-%d", i)))
		},
		"finish": func(int) error { return finishSome(t.Context(), s) },
		"prune": func(int) error {
			_, err := s.Prune(t.Context(), store.Retention{Delivered: 1, Failed: 1})
			return err
		},
	} {
		work.Go(func() {
			for i := range n {
				if err := do(i); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	work.Wait()
	s.FailCommits(nil)
	work.Wait() // for what a commit that nobody waits for has begun
	compareCounts(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = inHost(t, db, nil)
	compareCounts(t, s)
}

// finishSome claims a few deliveries and ends them in one way or another.
func finishSome(ctx context.Context, s *boltstore.Store) error {
	c, err := s.Claim(ctx, store.ClaimRequest{Max: 10, Lease: time.Hour})
	if err != nil {
		return err
	}
	var outcomes []store.Outcome
	for _, c := range c.Claims {
		states := []store.State{store.Delivered, store.Dead, store.Pending}
		outcomes = append(outcomes, store.Outcome{
			Lease: c.Lease, State: states[rand.IntN(len(states))],
			Attempt: store.Attempt{Number: c.Attempt, At: time.Now(), Status: 500},
		})
	}
	_, err = s.Finish(ctx, outcomes...)
	return err
}

// compareCounts compares what Stats, Deliveries and Claim say is pending. It delivers all of it.
func compareCounts(t *testing.T, s *boltstore.Store) {
	t.Helper()
	verify(t, s)
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{
		AnyTenant: true, States: []store.State{store.Pending}, Limit: 1, Count: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	stats := pending(t, s)
	if page.Total != stats {
		t.Errorf("Stats has %d pending, Deliveries %d", stats, page.Total)
	}
	if claimed := len(drain(t, s)); claimed != stats {
		t.Errorf("Stats had %d pending, and Claim gave %d", stats, claimed)
	}
}
