package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/boltstore"
)

// product is what customers pay for.
type product struct {
	db    *bolt.DB
	store *boltstore.Store // in db
	hooks *dispatcher.Dispatcher

	sessions sessions
}

// order is an order of a customer of a tenant. As JSON it is the payload of its events too.
type order struct {
	ID     string    `json:"id"`
	Item   string    `json:"item"`
	Placed time.Time `json:"placed"`
}

// The buckets of the product, beside those of the store.
var (
	bucketOrders   = []byte("orders")
	bucketAccounts = []byte("accounts")
	bucketKeys     = []byte("api keys")
)

// errNoItem refuses an order.
var errNoItem = errors.New("item is empty; say what is ordered")

// place stores an order of a tenant and publishes it: both, or after an error neither. When it has
// returned nil, the webhook will be delivered, whatever happens to this process.
func (p *product) place(ctx context.Context, tenant, item string) (order, error) {
	o := order{ID: uuid.NewString(), Item: strings.TrimSpace(item), Placed: time.Now().UTC()}
	if o.Item == "" {
		return order{}, errNoItem
	}
	e, err := events.New("order.placed", o)
	if err != nil {
		return order{}, err
	}
	e.Tenant = tenant
	e.Key = o.ID // what happens to one order arrives in order
	return o, p.db.Update(func(tx *bolt.Tx) error {
		if err := put(tx, bucketOrders, o.ID, o); err != nil {
			return err
		}
		// An error rolls the order back too: here it is one of a tenant with too much pending.
		return p.hooks.PublishTx(ctx, p.store.Tx(tx), e)
	})
}

// orders is POST /api/orders.
func (p *product) orders(w http.ResponseWriter, r *http.Request) {
	tenant, err := p.tenantOf(r)
	if err != nil {
		http.Error(w, "log in, or send an API key", http.StatusUnauthorized)
		return
	}
	var body struct{ Item string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&body); err != nil {
		http.Error(w, "want a JSON object with the item", http.StatusBadRequest)
		return
	}
	o, err := p.place(r.Context(), tenant, body.Item)
	var quota *dispatcher.QuotaError
	switch {
	case errors.Is(err, errNoItem):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.As(err, &quota):
		http.Error(w, err.Error(), http.StatusTooManyRequests)
	case err != nil:
		http.Error(w, "try again", http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(o)
	}
}

// health is GET /healthz: whether this process does its work.
func (p *product) health(w http.ResponseWriter, r *http.Request) {
	stats, err := p.hooks.Stats(r.Context())
	if err != nil || !stats.Running {
		http.Error(w, "webhooks are not delivered", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// put stores a value as JSON.
func put(tx *bolt.Tx, bucket []byte, key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	b, err := tx.CreateBucketIfNotExists(bucket)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), text)
}

// get reads what put has stored. It reports whether there is such a key.
func get(tx *bolt.Tx, bucket []byte, key string, value any) (found bool, err error) {
	b := tx.Bucket(bucket)
	if b == nil {
		return false, nil
	}
	text := b.Get([]byte(key))
	if text == nil {
		return false, nil
	}
	return true, json.Unmarshal(text, value)
}
