package boltstore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// folder returns a folder for an example, and a function that removes it.
func folder() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "boltstore-")
	if err != nil {
		log.Fatal(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

// fill publishes an event for one subscription, which stays pending, as no dispatcher runs.
func fill(s store.Store) {
	d, err := dispatcher.New(s, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_, err = d.Subscribe(ctx, store.Subscription{URL: "https://customer.example/hook"})
	if err != nil {
		log.Fatal(err)
	}
	e, err := events.New("order.created", "tea")
	if err == nil {
		err = d.Publish(ctx, e)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// What was accepted is there after a restart.
func ExampleOpen() {
	dir, remove := folder()
	defer remove()
	file := filepath.Join(dir, "hooks.db")
	s, err := boltstore.Open(file, nil)
	if err != nil {
		log.Fatal(err)
	}
	fill(s)
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}

	s, err = boltstore.Open(file, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	stats, err := s.Stats(context.Background(), "")
	fmt.Println(stats.Pending, "pending", err)
	// Output: 1 pending <nil>
}

// A host keeps its own data in the same file, and can publish in its own transactions: see
// PublishTx of package dispatcher.
func ExampleNew() {
	dir, remove := folder()
	defer remove()
	db, err := bolt.Open(filepath.Join(dir, "shop.db"), 0o600, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	s, err := boltstore.New(db, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close() // leaves db open
	e, err := events.New("order.created", "tea")
	if err != nil {
		log.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		orders, err := tx.CreateBucketIfNotExists([]byte("orders"))
		if err == nil {
			err = orders.Put([]byte("tea"), nil)
		}
		if err == nil {
			err = s.Tx(tx).Enqueue(context.Background(), e)
		}
		return err
	})
	fmt.Println(err)
	// Output: <nil>
}

// A backup is a whole file, which Open opens.
func ExampleStore_Backup() {
	dir, remove := folder()
	defer remove()
	s, err := boltstore.Open(filepath.Join(dir, "hooks.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	fill(s)
	name := filepath.Join(dir, "backup.db")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // it has the keys
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Backup(context.Background(), f); err != nil { // while s is in use
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}

	restored, err := boltstore.Open(name, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer restored.Close()
	stats, err := restored.Stats(context.Background(), "")
	fmt.Println(stats.Pending, "pending", err)
	// Output: 1 pending <nil>
}
