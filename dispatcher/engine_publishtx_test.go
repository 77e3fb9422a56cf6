package dispatcher_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
)

// hostTx is a transaction of a host.
type hostTx struct {
	store.Tx
	commit, rollback func() error
}

// onEachHost runs a test in a bubble for each kind of store, with a function that begins a
// transaction of the host.
func onEachHost(t *testing.T, test func(t *testing.T, s store.Store, begin func() hostTx)) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	onEachStore(t, func(t *testing.T, s store.Store) {
		if mem, ok := s.(*memstore.Store); ok {
			test(t, s, func() hostTx {
				tx := mem.Begin()
				return hostTx{tx, func() error { return tx.Commit(t.Context()) },
					func() error { return tx.Rollback(t.Context()) }}
			})
			return
		}
		db, err := bolt.Open(t.TempDir()+"/host.db", 0o600, nil)
		must(err)
		host, err := boltstore.New(db, nil)
		must(err)
		defer db.Close()
		defer host.Close()
		test(t, host, func() hostTx {
			tx, err := db.Begin(true)
			must(err)
			return hostTx{host.Tx(tx), tx.Commit, tx.Rollback}
		})
	})
}

// event returns an event of a type with the ID, and the same time and payload each time.
func fixedEvent(id, eventType string) events.Event {
	return events.Event{ID: id, Type: eventType, Payload: []byte(`{"n":1}`),
		Time: time.Date(2020, 10, 25, 21, 24, 54, 560e6, time.UTC)}
}

// TestPublishTxChecksWhatPublishChecks publishes what is to be refused both ways. Afterwards the
// transaction can still commit what is right.
func TestPublishTxChecksWhatPublishChecks(t *testing.T) {
	onEachHost(t, func(t *testing.T, s store.Store, begin func() hostTx) {
		e := newEngine(t, s, &dispatcher.Options{
			MaxPayload: 100, OperationalEvents: true,
			EventTypes: []events.Type{{Name: "order.created"}},
			Quota:      quotas(dispatcher.Quota{Pending: 1}),
		})
		e.subscribeFor("small", nthURL(1))
		large := fixedEvent("large", "order.created")
		large.Payload = fmt.Appendf(nil, "%q", make([]byte, 100))
		unbegun := fixedEvent("unbegun", "order.created")
		unbegun.Time = time.Time{}
		over := fixedEvent("over", "order.created")
		over.Tenant = "small"
		if err := e.publishFor("small", 1); err != nil {
			t.Fatal(err)
		}
		for _, ev := range []events.Event{
			large, unbegun, over,
			fixedEvent("unknown", "order.sold"), fixedEvent("operational", events.TypeDisabled),
		} {
			want := e.Publish(t.Context(), ev)
			if want == nil {
				t.Fatalf("Publish of %s: got no error, want one", ev.ID)
			}
			tx := begin()
			got := e.PublishTx(t.Context(), tx, ev)
			if err := tx.commit(); err != nil {
				t.Errorf("%s: commit: %v", ev.ID, err)
			}
			var invalid *events.InvalidError
			var quota *dispatcher.QuotaError
			switch {
			case got == nil || got.Error() != want.Error():
				t.Errorf("PublishTx of %s: got error %v, want that of Publish, %v", ev.ID, got, want)
			case !errors.As(got, &invalid) && !errors.As(got, &quota):
				t.Errorf("PublishTx of %s: got error %v, want an InvalidError or a QuotaError", ev.ID, got)
			}
		}
		if err := e.PublishTx(t.Context(), nil, over); err == nil {
			t.Error("PublishTx without a transaction: got no error, want one")
		}
	})
}

// TestPublishTxSendsWhatPublishSends compares the requests of an event that was published each way.
func TestPublishTxSendsWhatPublishSends(t *testing.T) {
	onEachHost(t, func(t *testing.T, s store.Store, begin func() hostTx) {
		e := newEngine(t, s, &dispatcher.Options{
			Tracer: &dispatcher.Tracer{
				Publish: func(ctx context.Context, _ []events.Event) (context.Context, string, func(error)) {
					return ctx, trace, func(error) {}
				},
			},
		})
		sub := e.subscribe("https://a.example/hook")
		if _, err := e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.SubscribedAt = time.Time{}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		e.run()
		now := time.Now()
		for _, id := range []string{"one", "two"} {
			ev := fixedEvent(id, "order.created")
			ev.Time = now
			if id == "one" {
				if err := e.Publish(t.Context(), ev); err != nil {
					t.Fatal(err)
				}
				continue
			}
			tx := begin()
			if err := errors.Join(e.PublishTx(t.Context(), tx, ev), tx.commit()); err != nil {
				t.Fatal(err)
			}
		}
		pass(time.Minute)
		e.stop()
		sent := e.seen("")
		if len(sent) != 2 {
			t.Fatalf("got %d requests, want 2", len(sent))
		}
		if sent[0].Body != sent[1].Body {
			t.Errorf("the bodies differ: %s and %s", sent[0].Body, sent[1].Body)
		}
		for _, r := range sent {
			if got := r.Header.Get("traceparent"); got != trace {
				t.Errorf("%s: got traceparent %q, want %q", r.EventID, got, trace)
			}
		}
	})
}

// trace is a traceparent.
const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// TestPublishTxIsToldAtTheCommit also changes the event before the commit, as a host may that uses
// its buffer again.
func TestPublishTxIsToldAtTheCommit(t *testing.T) {
	onEachHost(t, func(t *testing.T, s store.Store, begin func() hostTx) {
		var told []string
		e := newEngine(t, s, &dispatcher.Options{Observer: &dispatcher.Observer{
			OnPublish: func(evs []events.Event) {
				for _, ev := range evs {
					told = append(told, ev.ID+string(ev.Payload))
				}
			},
		}})
		e.subscribe("https://a.example/hook")
		undone := begin()
		if err := e.PublishTx(t.Context(), undone, fixedEvent("undone", "a")); err != nil {
			t.Fatal(err)
		}
		if err := undone.rollback(); err != nil {
			t.Fatal(err)
		}
		tx := begin()
		evs := []events.Event{fixedEvent("done", "a")}
		if err := e.PublishTx(t.Context(), tx, evs...); err != nil {
			t.Fatal(err)
		}
		evs[0].ID = "changed"
		clear(evs[0].Payload)
		if len(told) > 0 {
			t.Errorf("told before the commit: %q, want nothing", told)
		}
		if err := tx.commit(); err != nil {
			t.Fatal(err)
		}
		if want := []string{`done{"n":1}`}; !slices.Equal(told, want) {
			t.Errorf("told: got %q, want %q", told, want)
		}
	})
}

// blindTx is a transaction whose commit the store can't see.
type blindTx struct{ store.Tx }

func (blindTx) OnCommit(func()) bool { return false }

// TestPublishTxIsToldAtOnce has a store that can't see the commit: then PublishTx itself tells.
func TestPublishTxIsToldAtOnce(t *testing.T) {
	told := 0
	s := memstore.New()
	e := newEngine(t, s, &dispatcher.Options{Observer: &dispatcher.Observer{
		OnPublish: func(evs []events.Event) { told += len(evs) },
	}})
	tx := s.Begin()
	if err := e.PublishTx(t.Context(), blindTx{tx}, fixedEvent("a", "a")); err != nil {
		t.Fatal(err)
	}
	if told != 1 {
		t.Errorf("told when PublishTx has returned: got %d, want 1", told)
	}
}
