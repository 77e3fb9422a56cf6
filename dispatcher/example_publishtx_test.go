package dispatcher_test

import (
	"context"
	"errors"
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

// A host keeps its orders in bbolt: an order and its event are stored together, or neither is.
func ExampleDispatcher_PublishTx() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := bolt.Open(filepath.Join(dir, "shop.db"), 0o600, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	s, err := boltstore.New(db, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	d, err := dispatcher.New(s, &dispatcher.Options{EventTypes: []events.Type{{Name: "order.placed"}}})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_, err = d.Subscribe(ctx, store.Subscription{URL: "https://customer.example/hook"})
	if err != nil {
		log.Fatal(err)
	}

	place := func(id string, charge error) error {
		event, err := events.New("order.placed", map[string]string{"order": id})
		if err != nil {
			return err
		}
		return db.Update(func(tx *bolt.Tx) error {
			orders, err := tx.CreateBucketIfNotExists([]byte("orders"))
			if err != nil {
				return err
			}
			if err := orders.Put([]byte(id), nil); err != nil {
				return err
			}
			if err := d.PublishTx(ctx, s.Tx(tx), event); err != nil {
				return err
			}
			return charge // an error rolls back the order, and its event with it
		})
	}
	fmt.Println(place("tea", nil))
	fmt.Println(place("coffee", errors.New("the card was declined")))
	stats, err := d.Stats(ctx)
	fmt.Println(stats.Pending, err)
	// Output:
	// <nil>
	// the card was declined
	// 1 <nil>
}
