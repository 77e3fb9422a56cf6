package pgstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestPublishTxWithAPoolOfOne publishes by a Dispatcher, with a catalogue and a quota, in
// transactions of the host that have the only connection, by pgx and by database/sql.
func TestPublishTxWithAPoolOfOne(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*testing.T, *pgxpool.Pool, *pgstore.Store) (
		tx store.Tx, commit, rollback func() error){
		"pgx": func(t *testing.T, pool *pgxpool.Pool, s *pgstore.Store) (
			store.Tx, func() error, func() error) {
			tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.Serializable})
			if err != nil {
				t.Fatal(err)
			}
			return s.Tx(tx), func() error { return tx.Commit(t.Context()) },
				func() error { return tx.Rollback(context.Background()) }
		},
		"database/sql": func(t *testing.T, pool *pgxpool.Pool, s *pgstore.Store) (
			store.Tx, func() error, func() error) {
			db := stdlib.OpenDBFromPool(pool)
			t.Cleanup(func() { db.Close() })
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return s.SQLTx(tx), tx.Commit, tx.Rollback
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct, schema := newPool(t)
			open(t, direct, schema)
			pool, err := pgxpool.New(t.Context(), serverURL+"&pool_max_conns=1")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			s, err := pgstore.New(pool, &pgstore.Options{Schema: schema})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			testPublishTx(t, s, func() (store.Tx, func() error) {
				tx, commit, rollback := begin(t, pool, s)
				t.Cleanup(func() { _ = rollback() }) // or closing the pool waits for it
				return tx, commit
			})
		})
	}
}

func testPublishTx(t *testing.T, s *pgstore.Store, begin func() (store.Tx, func() error)) {
	told := 0
	d, err := dispatcher.New(s, &dispatcher.Options{
		EventTypes: []events.Type{{Name: "order.paid"}, {Name: "order.sent"}},
		Quota:      func(string) dispatcher.Quota { return dispatcher.Quota{Pending: 2} },
		Observer:   &dispatcher.Observer{OnPublish: func(evs []events.Event) { told += len(evs) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Subscribe(t.Context(), store.Subscription{
		URL: "https://customer.example/", Events: []string{"order.paid"},
	})
	if err != nil {
		t.Fatal(err)
	}
	// What would take another connection waits for it, and not for ever.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tx, commit := begin()
	publish := func(eventType string) error {
		e, err := events.New(eventType, 1)
		if err != nil {
			t.Fatal(err)
		}
		return d.PublishTx(ctx, tx, e)
	}
	var invalid *events.InvalidError
	if err := publish("order.unknown"); !errors.As(err, &invalid) {
		t.Errorf("a type that is not in the catalogue: got error %v, want an InvalidError", err)
	}
	for _, eventType := range []string{"order.sent", "order.paid", "order.paid"} {
		if err := publish(eventType); err != nil {
			t.Fatal(err)
		}
	}
	var quota *dispatcher.QuotaError
	if err := publish("order.paid"); !errors.As(err, &quota) || quota.Kind != dispatcher.QuotaPending {
		t.Errorf("a third that waits: got error %v, want a QuotaError", err)
	}
	if told != 3 {
		t.Errorf("OnPublish before the commit: got %d events, want 3", told)
	}
	if err := commit(); err != nil {
		t.Fatal(err)
	}
	stats, err := d.Stats(ctx)
	if err != nil || stats.Pending != 2 || stats.Unwanted["order.sent"] != 1 ||
		len(stats.Unwanted) != 1 {
		t.Errorf("stats: got %d pending and unwanted %v, %v; want 2, and one order.sent", stats.Pending,
			stats.Unwanted, err)
	}
}
