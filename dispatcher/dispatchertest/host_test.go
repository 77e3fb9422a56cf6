package dispatchertest_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/boltstore"
)

// Tests as a host may have them, to copy from: of a shop, and of a market with many sellers that
// keeps its orders in bbolt. The package comment has three of them.

// shop is a host.
type shop struct{ hooks *dispatcher.Dispatcher }

func (s shop) order(ctx context.Context, item string) error {
	e, err := events.New("order.created", map[string]string{"item": item})
	if err != nil {
		return err
	}
	return s.hooks.Publish(ctx, e)
}

func TestOrderSendsWebhook(t *testing.T) {
	d, r := dispatchertest.New(t, nil)
	r.Subscribe("order.created")
	if err := (shop{d}).order(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	if got := r.Next(); string(got.Payload) != `{"item":"tea"}` {
		t.Errorf("got %s, want the tea", got.Payload)
	}
}

func TestRetryTomorrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tomorrow := dispatcher.Backoff{Initial: 24 * time.Hour, Jitter: -1}
		d, r := dispatchertest.New(t, &dispatcher.Options{Backoff: tomorrow})
		r.Subscribe().Answer(500)
		if err := (shop{d}).order(t.Context(), "tea"); err != nil {
			t.Fatal(err)
		}
		first, second := r.Next(), r.Next()
		if wait := second.At.Sub(first.At); wait != 24*time.Hour || second.ID != first.ID {
			t.Errorf("%s came again as %s after %v, want a day", first.ID, second.ID, wait)
		}
	})
}

// market is a host with many sellers.
type market struct {
	db    *bolt.DB
	store *boltstore.Store
	hooks *dispatcher.Dispatcher
}

var errDeclined = errors.New("the card was declined")

// place stores an order of a seller and publishes it: both or neither.
func (m *market) place(ctx context.Context, seller, item string, charge func() error) error {
	e, err := events.New("order.placed", map[string]string{"item": item})
	if err != nil {
		return err
	}
	e.Tenant = seller
	return m.db.Update(func(tx *bolt.Tx) error {
		orders, err := tx.CreateBucketIfNotExists([]byte("orders"))
		if err != nil {
			return err
		}
		if err := orders.Put([]byte(e.ID), []byte(item)); err != nil {
			return err
		}
		if err := m.hooks.PublishTx(ctx, m.store.Tx(tx), e); err != nil {
			return err
		}
		return charge()
	})
}

// newMarket opens a market, as the host's main function does, but for NewOn.
func newMarket(t *testing.T, o *dispatcher.Options) (*market, *dispatchertest.Receiver) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "market.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s, err := boltstore.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d, r := dispatchertest.NewOn(t, s, o)
	return &market{db, s, d}, r
}

func paid() error { return nil }

func TestDeclinedOrderSendsNothing(t *testing.T) {
	m, r := newMarket(t, nil) // NewOn(t, store, nil) is in it
	acme := r.SubscribeFor("acme", "order.*")
	declined := func() error { return errDeclined }
	if err := m.place(t.Context(), "acme", "tea", declined); !errors.Is(err, errDeclined) {
		t.Fatalf("got error %v, want that the card was declined", err)
	}
	r.WaitIdle()
	if got := acme.All(); len(got) != 0 {
		t.Errorf("got %v, want nothing", got)
	}
}

// Each seller gets its own orders, and no other's.
func TestSellersGetTheirOrders(t *testing.T) {
	m, r := newMarket(t, nil)
	acme, best := r.SubscribeFor("acme"), r.SubscribeFor("best")
	for seller, item := range map[string]string{"acme": "tea", "best": "coffee"} {
		if err := m.place(t.Context(), seller, item, paid); err != nil {
			t.Fatal(err)
		}
	}
	if got := acme.Next(); string(got.Payload) != `{"item":"tea"}` {
		t.Errorf("acme got %s, want the tea", got.Payload)
	}
	if got := best.Next(); string(got.Payload) != `{"item":"coffee"}` {
		t.Errorf("best got %s, want the coffee", got.Payload)
	}
}

// A seller whose endpoint is down for good does not hold up another. The days of that pass in no
// time, with bbolt's file too.
func TestSellerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := make(chan dispatcher.Info, 1)
		m, r := newMarket(t, &dispatcher.Options{
			Backoff:  dispatcher.Backoff{Initial: 24 * time.Hour, MaxAttempts: 3},
			Observer: &dispatcher.Observer{OnDead: func(i dispatcher.Info) { dead <- i }},
		})
		down, up := r.SubscribeFor("acme"), r.SubscribeFor("best")
		down.Always(503)
		start := time.Now()
		for _, seller := range []string{"acme", "best"} {
			if err := m.place(t.Context(), seller, "tea", paid); err != nil {
				t.Fatal(err)
			}
		}
		if got := up.Next(); got.At.After(start.Add(time.Minute)) {
			t.Errorf("best got its order after %v", got.At.Sub(start))
		}
		r.WaitIdle()
		if took := time.Since(start); took < 24*time.Hour || len(down.All()) != 3 {
			t.Errorf("acme was given up after %v and %d attempts", took, len(down.All()))
		}
		if got := <-dead; got.Tenant != "acme" {
			t.Errorf("given up: %s, want acme", got.Tenant)
		}
	})
}
