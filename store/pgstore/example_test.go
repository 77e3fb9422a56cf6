package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/pgstore"
)

// The tests skip these examples where there is no server: see testMain.

// exampleStore opens a store in a schema of its own, which remove drops.
func exampleStore(ctx context.Context) (pool *pgxpool.Pool, s *pgstore.Store, remove func()) {
	pool, err := pgxpool.New(ctx, serverURL)
	if err != nil {
		log.Fatal(err)
	}
	schema := fmt.Sprintf("outhook_example_%d", schemas.Add(1))
	s, err = pgstore.New(pool, &pgstore.Options{Schema: schema})
	if err == nil {
		err = s.Migrate(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
	return pool, s, func() {
		_ = s.Close()
		_, err := pool.Exec(ctx, "DROP SCHEMA "+schema+" CASCADE")
		if err != nil {
			log.Fatal(err)
		}
		pool.Close()
	}
}

// An event is stored if and only if the host's own transaction commits.
func ExampleStore_Tx() {
	ctx := context.Background()
	pool, s, remove := exampleStore(ctx) // pgstore.Open(ctx, url, nil), or New on the host's pool
	defer remove()
	d, err := dispatcher.New(s, nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = d.Subscribe(ctx, store.Subscription{URL: "https://customer.example/hook"})
	if err != nil {
		log.Fatal(err)
	}
	place := func(item string, charge error) error {
		e, err := events.New("order.created", item)
		if err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { // the order is stored here too
			if err := d.PublishTx(ctx, s.Tx(tx), e); err != nil {
				return err
			}
			return charge
		})
	}
	fmt.Println(place("tea", nil))
	fmt.Println(place("coffee", errors.New("the card was declined")))
	stats, err := d.Stats(ctx)
	fmt.Println(stats.Pending, "pending", err)
	// Output:
	// <nil>
	// the card was declined
	// 1 pending <nil>
}

// A host moves from another store, and shows how far it is.
func ExampleStore_Import() {
	ctx := context.Background()
	old := memstore.New() // boltstore.Open of the file
	_, err := old.CreateSubscription(ctx, store.Subscription{
		ID:  "3e639566-29fa-450d-a59f-ae3c25d7260f",
		URL: "https://customer.example/hook", Status: store.Subscribed,
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		e, err := events.New("order.created", "tea")
		if err == nil {
			err = old.Enqueue(ctx, e)
		}
		if err != nil {
			log.Fatal(err)
		}
	}

	_, s, remove := exampleStore(ctx)
	defer remove()
	all, err := old.Stats(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	moved, err := s.Import(ctx, old, func(so pgstore.Imported) {
		log.Printf("%d of %d pending, %d finished", so.Deliveries, all.Pending, so.Finished)
	})
	fmt.Println(moved.Subscriptions, "webhook,", moved.Deliveries, "pending", err)
	// Output: 1 webhook, 3 pending <nil>
}
