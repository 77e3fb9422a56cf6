package boltstore_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// patience is how long a test waits for what must happen, on any machine.
const patience = time.Minute

// returns waits for a call to return, and fails the test when it does not.
func returns(t *testing.T, name string, result <-chan error) error {
	t.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(patience):
		t.Fatalf("%s does not return", name)
		return nil
	}
}

// start calls f from a goroutine of its own.
func start(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

// committers returns how many goroutines commit, or wait to.
func committers() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "groupcommit.(*Group[...]).run(")
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not so", what)
		}
	}
}

// TestContextEndsWhileTheHostWrites has each method that writes called while the host has its own
// transaction open: it returns when its context ends, and is never done.
func TestContextEndsWhileTheHostWrites(t *testing.T) {
	for _, w := range writers {
		t.Run(w.name, func(t *testing.T) {
			db := hostDB(t)
			s := inHost(t, db, nil)
			sub := subscribe(t, s)
			call, done := w.prepare(t, s, sub)
			tx := hold(t, db)

			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			for range 3 { // later ones find a committer that waits already
				result := start(func() error { return call(ctx) })
				if err := returns(t, w.name, result); !errors.Is(err, context.DeadlineExceeded) ||
					!strings.Contains(err.Error(), "inside it publish by PublishTx") {
					t.Errorf("got error %v, want context.DeadlineExceeded, and that the host is in the way",
						err)
				}
				ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
				defer cancel()
			}
			if n := committers(); n > 1 {
				t.Errorf("%d committers wait for the host", n)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the committer ends", func() bool { return committers() == 0 })
			if done() {
				t.Error("it is done though its context ended before its transaction could begin")
			}
			if err := call(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			verify(t, s)
		})
	}
}

// TestContextEndsWhileItIsCommitted has the disk hold each method up, in a host's database: in a
// file of its own a call that is alone commits itself, and can't leave. It returns when its context
// ends; what it wrote to belongs to the commit until that has ended.
func TestContextEndsWhileItIsCommitted(t *testing.T) {
	for _, w := range writers {
		t.Run(w.name, func(t *testing.T) {
			s := inHost(t, hostDB(t), nil)
			call, _ := w.prepare(t, s, subscribe(t, s))
			committing, free := make(chan struct{}), make(chan struct{})
			s.FailCommits(func(commit func() error) error {
				close(committing)
				<-free
				return commit()
			})
			ctx, cancel := context.WithCancel(t.Context())
			result := start(func() error { return call(ctx) })
			<-committing
			cancel()
			err := returns(t, w.name, result)
			close(free)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got error %v, want context.Canceled", err)
			}
			eventually(t, "the commit ends", func() bool { return committers() == 0 })
			s.FailCommits(nil)
			verify(t, s)
		})
	}
}

// TestHostWritesAndTheStoreReads has the methods that write nothing called while the host has its
// own transaction open.
func TestHostWritesAndTheStoreReads(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, nil)
	sub := subscribe(t, s)
	publish(t, s, "event", 2)
	first := claim(t, s, 1)
	hold(t, db)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Claim": func() error {
			_, err := s.Claim(ctx, store.ClaimRequest{Max: 1, Lease: time.Hour})
			return err
		},
		"Release": func() error { return s.Release(ctx, first[0].Lease) },
		"Claim that pauses": func() error {
			pauses := []store.Pause{{SubscriptionID: "other", For: time.Second}}
			_, err := s.Claim(ctx, store.ClaimRequest{Lease: time.Hour, Pauses: pauses})
			return err
		},
		"Subscription": func() error {
			_, err := s.Subscription(ctx, sub)
			return err
		},
		"Subscriptions": func() error {
			_, err := s.Subscriptions(ctx, store.SubscriptionQuery{})
			return err
		},
		"Deliveries": func() error {
			_, err := s.Deliveries(ctx, store.DeliveryQuery{AnyTenant: true})
			return err
		},
		"Attempts": func() error {
			_, err := s.Attempts(ctx, sub, "event-0")
			return err
		},
		"Stats": func() error {
			_, err := s.Stats(ctx, sub)
			return err
		},
	} {
		if err := returns(t, name, start(call)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// hold begins a transaction of the host.
func hold(t *testing.T, db *bolt.DB) *bolt.Tx {
	t.Helper()
	tx, err := db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func TestCloseWhileTheHostWrites(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, boltstore.WithCloseWait(20*time.Millisecond))
	subscribe(t, s)
	tx := hold(t, db)
	waits := start(func() error { return s.Enqueue(context.Background(), Event("waits")) })
	eventually(t, "the committer waits for the host", func() bool { return committers() == 1 })
	err := returns(t, "Close", start(s.Close))
	if err == nil || !strings.Contains(err.Error(), "transaction of the host") {
		t.Errorf("Close: got error %v, want one that names the host's transaction", err)
	}
	if err := returns(t, "Enqueue", waits); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Enqueue: got error %v, want store.ErrClosed", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the committer ends", func() bool { return committers() == 0 })
	s = inHost(t, db, nil)
	if n := oldest(t, s); n != 0 {
		t.Errorf("%d deliveries are stored, want none", n)
	}
}

// TestCloseWaitsForTheHost has the host end its transaction in time.
func TestCloseWaitsForTheHost(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, boltstore.WithCloseWait(patience))
	subscribe(t, s)
	tx := hold(t, db)
	eventually(t, "others' committers end", func() bool { return committers() == 0 })
	waits := start(func() error { return s.Enqueue(t.Context(), Event("waits")) })
	eventually(t, "the committer waits for the host", func() bool { return committers() == 1 })
	closed := start(s.Close)
	eventually(t, "Close has begun", func() bool {
		return errors.Is(s.Release(t.Context()), store.ErrClosed)
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := returns(t, "Close", closed); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := returns(t, "Enqueue", waits); err != nil {
		t.Errorf("Enqueue: %v", err)
	}
	s = inHost(t, db, nil)
	if n := oldest(t, s); n != 1 {
		t.Errorf("%d deliveries are stored, want 1", n)
	}
}
