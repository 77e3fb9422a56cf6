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

// goroutinesIn returns how many goroutines are in a function.
func goroutinesIn(function string) int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), function+"(")
}

// stall makes a transaction of the host wait until all transactions that read have ended, because
// the file outgrows what is mapped of it. Until then no other one begins.
func stall(t *testing.T, db *bolt.DB) (written <-chan error) {
	t.Helper()
	written = start(func() error {
		return db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("orders")).Put([]byte("large"), make([]byte, 4<<20))
		})
	})
	eventually(t, "the host waits", func() bool { return goroutinesIn("bbolt.(*DB).mmap") == 1 })
	return written
}

// readers are methods that read the file, whether they write or not.
func readers(sub, eventID string) map[string]func(context.Context, *boltstore.Store) error {
	q := store.DeliveryQuery{SubscriptionID: sub}
	return map[string]func(context.Context, *boltstore.Store) error{
		"Claim": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Claim(ctx, store.ClaimRequest{Max: 1, Lease: time.Hour})
			return err
		},
		"Subscription": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Subscription(ctx, sub)
			return err
		},
		"Subscriptions": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Subscriptions(ctx, store.SubscriptionQuery{})
			return err
		},
		"Claim that pauses": func(ctx context.Context, s *boltstore.Store) error {
			pauses := []store.Pause{{SubscriptionID: "other"}}
			_, err := s.Claim(ctx, store.ClaimRequest{Lease: time.Hour, Pauses: pauses})
			return err
		},
		"Deliveries": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Deliveries(ctx, q)
			return err
		},
		"Attempts": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Attempts(ctx, sub, eventID)
			return err
		},
		"Stats of all": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Stats(ctx, "")
			return err
		},
		"Stats of one": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Stats(ctx, sub)
			return err
		},
		"Requeue": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Requeue(ctx, q)
			return err
		},
		"Erase": func(ctx context.Context, s *boltstore.Store) error {
			_, _, err := s.Erase(ctx, store.EraseQuery{Tenant: "other"})
			return err
		},
		"Prune": func(ctx context.Context, s *boltstore.Store) error {
			_, err := s.Prune(ctx, store.Retention{Delivered: 1, Failed: 1})
			return err
		},
	}
}

// TestContextEndsWhileTheHostReads has the host read for long while the file grows. bbolt lets
// nobody begin a transaction then. Each method that reads returns when its context ends, though
// others that read go on waiting, and they leave at most one goroutine behind.
func TestContextEndsWhileTheHostReads(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, nil)
	sub := subscribe(t, s)
	ids := publish(t, s, "retried", 10)
	finish(t, s, claim(t, s, 10), store.Pending, 0) // Claim has to read them

	reading, err := db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reading.Rollback() }()
	written := stall(t, db)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	results, patient := make(map[string]<-chan error), make(map[string]<-chan error)
	for name, call := range readers(sub, ids[0]) { // those who wait are in nobody's way
		patient[name] = start(func() error { return call(t.Context(), s) })
	}
	for name, call := range readers(sub, ids[0]) {
		results[name] = start(func() error { return call(ctx, s) })
	}
	for name, result := range results {
		if err := returns(t, name, result); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got error %v, want context.DeadlineExceeded", name, err)
		}
	}
	if n := goroutinesIn("bbolt.(*DB).beginTx"); n > 1 {
		t.Errorf("%d goroutines begin to read, want at most 1", n)
	}

	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := returns(t, "the host's transaction", written); err != nil {
		t.Fatal(err)
	}
	for name, result := range patient {
		if err := returns(t, name, result); err != nil {
			t.Errorf("%s, which waited: %v", name, err)
		}
	}
	eventually(t, "nobody begins to read", func() bool {
		return goroutinesIn("bbolt.(*DB).beginTx") == 0
	})
	eventually(t, "no transaction is open", func() bool { return db.Stats().OpenTxN == 0 })
}

// TestContextEndsWhenAReadEnds has a read that began in time end while another can't begin.
func TestContextEndsWhenAReadEnds(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, nil)
	sub := subscribe(t, s)
	reading, err := db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reading.Rollback() }()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began, goOn := make(chan struct{}), make(chan struct{})
	read := start(func() error {
		return s.Read(ctx, func() error {
			close(began)
			<-goOn
			return nil
		})
	})
	<-began
	written := stall(t, db)
	other := start(func() error {
		_, err := s.Subscription(ctx, sub)
		return err
	})
	eventually(t, "another begins", func() bool { return goroutinesIn("bbolt.(*DB).beginTx") == 1 })
	close(goOn)
	eventually(t, "the read ends", func() bool { return goroutinesIn("bbolt.(*DB).removeTx") == 1 })
	cancel()
	if err := returns(t, "the read", read); err != nil {
		t.Error(err)
	}
	if err := returns(t, "Subscription", other); !errors.Is(err, context.Canceled) {
		t.Errorf("Subscription: got error %v, want context.Canceled", err)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := returns(t, "the host's transaction", written); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the read has ended", func() bool { return db.Stats().OpenTxN == 0 })
	verify(t, s)
}
