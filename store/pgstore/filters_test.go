package pgstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestFreeIDOfAFilteredTenant checks that an event whose ID is free goes by the filters of its
// tenant. To store it, the statement refuses twice: the filters are to be asked first, and what has
// the ID is to be removed.
func TestFreeIDOfAFilteredTenant(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	kinds := hostTxs(t, s, connect(t, serverURL), db)
	nothing := func() error { return nil }
	kinds["its own"] = func() hostTx {
		return hostTx{func(evs ...events.Event) error {
			return s.Enqueue(t.Context(), evs...)
		}, nothing, nothing}
	}
	for kind, begin := range kinds {
		t.Run(kind, func(t *testing.T) {
			ev := someEvents(1)[0]
			// It happens after everybody has subscribed, however long that takes.
			ev.Tenant, ev.Time = kind, ev.Time.Add(time.Hour)
			f := filteredTenant{t, s, ev, begin}
			f.test()
		})
	}
}

// filteredTenant is a tenant whose subscriptions have filters and whose events have one ID.
type filteredTenant struct {
	*testing.T
	s     *pgstore.Store
	ev    events.Event
	begin func() hostTx
}

func (f *filteredTenant) test() {
	f.subscribe("first", 1)
	f.enqueue(1)
	f.claims("a first event", 1, "first")
	f.free("first")

	f.subscribe("second", 2) // whose filter no statement has told of yet
	f.subscribe("third", 3)
	f.enqueue(2)
	f.claims("its ID with other content", 2, "second")
	if err := f.tryEnqueue(3); !errors.Is(err, store.ErrConflict) {
		f.Errorf("Enqueue of other content, while the ID is taken: got %v, want ErrConflict", err)
	}
	f.enqueue(2)
	f.claims("the same again", 2)
	f.free("second")

	unwanted := f.unwanted()
	f.enqueue(4) // which no filter takes
	f.claims("content that no filter takes", 4)
	if _, err := f.s.Event(f.Context(), f.ev.Tenant, f.ev.ID); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("Event of what no filter takes: got %v, want ErrNotFound", err)
	}
	if got := f.unwanted() - unwanted; got != 1 {
		f.Errorf("unwanted: got %d, want the one that no filter takes", got)
	}
	f.enqueue(3) // whose filter is known by now
	f.claims("content that another takes", 3, "third")
	f.free("third")

	f.subscribe("fourth", 3)
	f.enqueue(3)
	f.claims("the same content, once it is free", 3, "fourth")
}

// event returns the tenant's event with a content.
func (f *filteredTenant) event(n int) events.Event {
	ev := f.ev
	ev.Payload = fmt.Appendf(nil, `{"n":%d}`, n)
	return ev
}

func (f *filteredTenant) unwanted() int {
	stats, err := f.s.Stats(f.Context(), "")
	if err != nil {
		f.Fatal(err)
	}
	return stats.Unwanted[f.ev.Type]
}

func (f *filteredTenant) subscribe(id string, n int) {
	f.Helper()
	if _, err := f.s.CreateSubscription(f.Context(), store.Subscription{
		ID: f.ev.ID + id, Tenant: f.ev.Tenant, URL: "https://endpoint.example/",
		Status: store.Subscribed, Filter: fmt.Sprintf(`{"n":%d}`, n),
	}); err != nil {
		f.Fatal(err)
	}
}

// free deletes the subscription that has the only delivery of the event, and with it that.
func (f *filteredTenant) free(id string) {
	f.Helper()
	if err := f.s.DeleteSubscription(f.Context(), f.ev.ID+id); err != nil {
		f.Fatal(err)
	}
}

// tryEnqueue stores the event with a content, in a transaction that commits if that works.
func (f *filteredTenant) tryEnqueue(n int) error {
	f.Helper()
	tx := f.begin()
	end := tx.commit
	err := tx.enqueue(f.event(n))
	if err != nil {
		end = tx.rollback
	}
	if err := end(); err != nil {
		f.Fatal(err)
	}
	return err
}

func (f *filteredTenant) enqueue(n int) {
	f.Helper()
	if err := f.tryEnqueue(n); err != nil {
		f.Fatalf("Enqueue of content %d: %v", n, err)
	}
}

// claims checks which subscriptions get the event, with a content, and that no others do.
func (f *filteredTenant) claims(what string, n int, subs ...string) {
	f.Helper()
	body, err := f.event(n).Body()
	if err != nil {
		f.Fatal(err)
	}
	var got []string
	for _, c := range claimAll(f.T, f.s) {
		got = append(got, strings.TrimPrefix(c.SubscriptionID, f.ev.ID))
		if c.EventID != f.ev.ID || c.Tenant != f.ev.Tenant || !bytes.Equal(c.Body, body) {
			f.Errorf("%s: got a claim of event %s of %q with body %s, want %s", what, c.EventID,
				c.Tenant, c.Body, body)
		}
	}
	if !slices.Equal(got, subs) {
		f.Errorf("%s: claims: got %v, want %v", what, got, subs)
	}
}

// TestFiltersOfManyTypes stores events of two types in one call, when the filters of one are known
// and those of each are more than are kept: the call needs both at the same time.
func TestFiltersOfManyTypes(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	s := newStore(t)
	subscribe := func(id, filter string) {
		if _, err := s.CreateSubscription(t.Context(), store.Subscription{ID: id,
			URL: "https://endpoint.example/", Status: store.Subscribed, Filter: filter}); err != nil {
			t.Fatal(err)
		}
	}
	long := fmt.Sprintf(`{"a":%q}`, strings.Repeat("x", 4000))
	for i := range 300 {
		subscribe(fmt.Sprintf("long-%d", i), long)
	}
	subscribe("short", `{"n":1}`)
	evs := someEvents(3)
	evs[2].Type = "message.deleted"
	for i := range evs {
		evs[i].Payload, evs[i].Time = []byte(`{"n":1}`), evs[i].Time.Add(time.Hour)
	}
	if err := s.Enqueue(t.Context(), evs[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Enqueue(t.Context(), evs[1:]...); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range claimAll(t, s) {
		got = append(got, c.SubscriptionID+" "+c.EventID)
	}
	var want []string
	for _, id := range ids(evs) {
		want = append(want, "short "+id)
	}
	if !slices.Equal(got, want) {
		t.Errorf("claims: got %v, want %v", got, want)
	}
}

// TestFiltersThatChangeAllTheTime publishes while the subscription changes before each transaction
// of the store, and in a host's transaction before each statement that stores: so whatever filters
// have said is out of date by then.
func TestFiltersThatChangeAllTheTime(t *testing.T) {
	t.Parallel()
	quiet, schema := newPool(t)
	change := func() {
		// Whoever holds it is let go on: the change has only to come where it can.
		tx, err := quiet.Begin(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		defer tx.Rollback(t.Context())
		if _, err = tx.Exec(t.Context(), "SET LOCAL lock_timeout = '10ms'"); err == nil {
			_, err = tx.Exec(t.Context(), "UPDATE "+pgx.Identifier{schema}.Sanitize()+
				".subscriptions SET version = version + 1")
		}
		if err == nil {
			err = tx.Commit(t.Context())
		}
		var refused *pgconn.PgError
		if err != nil && !(errors.As(err, &refused) && refused.Code == "55P03") { // lock_not_available
			t.Error(err)
		}
	}
	open(t, quiet, schema)
	cfg := quiet.Config()
	cfg.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) { change(); return true, nil }
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s := connectStore(t, pool, schema)
	for i := range 2 {
		if _, err := s.CreateSubscription(t.Context(), store.Subscription{
			ID: fmt.Sprint("sub-", i), URL: "https://endpoint.example/", Status: store.Subscribed,
			Filter: fmt.Sprintf(`{"n":%d}`, i),
		}); err != nil {
			t.Fatal(err)
		}
	}
	evs := someEvents(2)
	for i := range evs {
		evs[i].Payload, evs[i].Time = []byte(`{"n":1}`), evs[i].Time.Add(time.Hour)
	}
	if err := s.Enqueue(t.Context(), evs[0]); err != nil {
		t.Errorf("Enqueue: %v", err)
	}
	tx, err := quiet.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if err := s.Tx(changing{tx, change}).Enqueue(t.Context(), evs[1]); err != nil {
		t.Errorf("Enqueue in a transaction of the host's: %v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{})
	if err != nil || len(page.Items) != len(evs) {
		t.Errorf("deliveries: got %d, %v, want one for each event", len(page.Items), err)
	}
}

// changing is a transaction before whose queries something changes.
type changing struct {
	pgx.Tx
	change func()
}

func (c changing) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	c.change()
	return c.Tx.QueryRow(ctx, sql, args...)
}
