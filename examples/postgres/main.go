// Command postgres shows a host that keeps its orders in PostgreSQL and publishes their webhooks in
// the same transaction: an order that is committed sends its webhook, and one that is rolled back
// sends nothing.
//
//	DATABASE_URL=postgres://… go run .
//
// Run it again and again, or several at once: they share the database as replicas of one host.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Getenv("DATABASE_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "postgres:", err)
		os.Exit(1)
	}
}

// shop is the host: its orders and its webhooks are in one database.
type shop struct {
	pool  *pgxpool.Pool
	store *pgstore.Store
}

// errCardDeclined is why an order is not placed.
var errCardDeclined = errors.New("the card was declined")

// place stores an order and publishes its webhook: both or neither.
func (s *shop) place(ctx context.Context, id string, cents int, charge func() error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO orders (id, cents) VALUES ($1, $2)", id,
			cents); err != nil {
			return err
		}
		ev, err := events.New("order.placed", map[string]any{"id": id, "cents": cents})
		if err != nil {
			return err
		}
		if err := s.store.EnqueueTx(ctx, tx, ev); err != nil {
			return err
		}
		return charge() // an error rolls back the order, and its webhook with it
	})
}

func run(ctx context.Context, url string, out io.Writer) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	s := &shop{pool: pool}
	if s.store, err = pgstore.New(pool, nil); err != nil {
		return err
	}
	defer s.store.Close()
	if err := s.store.Migrate(ctx); err != nil {
		return err
	}
	if _, err := pool.Exec(ctx,
		"CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, cents int NOT NULL)"); err != nil {
		return err
	}
	arrived := make(chan string, 10)
	customer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // errors are not the subject here
		arrived <- string(body)
	}))
	defer customer.Close()
	return s.show(ctx, customer.URL, arrived, out)
}

// show places one order that is paid and one that is not, and waits for what arrives at the
// customer's endpoint.
func (s *shop) show(ctx context.Context, endpoint string, arrived <-chan string,
	out io.Writer) error {
	d, err := dispatcher.New(s.store, &dispatcher.Options{
		// the customer is on this machine
		AllowLoopback: true,
	})
	if err != nil {
		return err
	}
	sub, err := d.Subscribe(ctx, store.Subscription{URL: endpoint, Events: []string{"order.*"}})
	if err != nil {
		return err
	}
	defer d.Delete(context.WithoutCancel(ctx), sub.ID)
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.Run(running) }()

	paid := fmt.Sprintf("order-%d", time.Now().UnixNano())
	if err := s.place(ctx, paid, 1999, func() error { return nil }); err != nil {
		stop()
		return errors.Join(err, <-done)
	}
	fmt.Fprintln(out, "an order was committed")
	err = s.place(ctx, paid+"-2", 4999, func() error { return errCardDeclined })
	fmt.Fprintln(out, "another was rolled back:", err)
	select {
	case body := <-arrived:
		fmt.Fprintln(out, "the customer got the webhook of the first:",
			strings.Contains(body, `"`+paid+`"`))
	case <-ctx.Done():
	}
	stop()
	if err := <-done; err != nil {
		return err
	}
	page, err := d.Deliveries(ctx, store.DeliveryQuery{SubscriptionID: sub.ID})
	if err != nil {
		return err
	}
	for _, delivery := range page.Items {
		fmt.Fprintln(out, "in the history:", delivery.EventType, delivery.State)
	}
	return nil
}
