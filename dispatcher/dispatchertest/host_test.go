package dispatchertest_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/boltstore"
)

// Three tests as a host may have them, of a shop with many sellers that keeps its orders in bbolt.

// market is the host.
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

// newMarket opens a market, as the host's main function does.
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

// An order that is rolled back sends nothing. To see that, place another and wait for that.
func TestDeclinedOrderSendsNothing(t *testing.T) {
	m, r := newMarket(t, nil)
	acme := r.SubscribeFor("acme", "order.*")
	declined := func() error { return errDeclined }
	if err := m.place(t.Context(), "acme", "tea", declined); !errors.Is(err, errDeclined) {
		t.Fatalf("got error %v, want that the card was declined", err)
	}
	if err := m.place(t.Context(), "acme", "coffee", paid); err != nil {
		t.Fatal(err)
	}
	if got := acme.Next(); string(got.Payload) != `{"item":"coffee"}` {
		t.Errorf("got %s, want the coffee first", got.Payload)
	}
	if n := len(acme.All()); n != 1 {
		t.Errorf("got %d requests, want one", n)
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

// A seller whose endpoint is down for good does not hold up another.
func TestSellerIsDown(t *testing.T) {
	dead := make(chan dispatcher.Info, 1)
	m, r := newMarket(t, &dispatcher.Options{
		Backoff:  dispatcher.Backoff{Initial: time.Millisecond, Max: time.Millisecond, MaxAttempts: 3},
		Observer: &dispatcher.Observer{OnDead: func(i dispatcher.Info) { dead <- i }},
	})
	down, up := r.SubscribeFor("acme"), r.SubscribeFor("best")
	down.Always(503)
	for _, seller := range []string{"acme", "best"} {
		if err := m.place(t.Context(), seller, "tea", paid); err != nil {
			t.Fatal(err)
		}
	}
	if got := up.Next(); got.Status != 200 {
		t.Errorf("best: got an answer of %d, want 200", got.Status)
	}
	if got := <-dead; got.Tenant != "acme" || got.Attempt.Number != 3 {
		t.Errorf("given up: got attempt %d for %s, want 3 for acme", got.Attempt.Number, got.Tenant)
	}
	if n := len(down.All()); n != 3 {
		t.Errorf("acme: got %d requests, want 3", n)
	}
}
