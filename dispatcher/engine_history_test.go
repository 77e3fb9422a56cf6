package dispatcher_test

import (
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func TestRedeliverAndReplay(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: dispatcher.Backoff{Jitter: -1, MaxAttempts: 2}})
		e.status(http.StatusInternalServerError)
		sub := e.subscribe("https://a.example/hook")
		e.run()
		ev := e.publish("order.created", 0)
		for i := range 4 {
			e.publish("order.created", i+1)
		}
		pass(time.Hour)
		if n := e.states(); n[store.Dead] != 5 {
			t.Fatalf("states are %v, want 5 dead", n)
		}
		e.status(200)
		if err := e.Redeliver(t.Context(), sub.ID, ev.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		d := e.wantState(ev, store.Delivered)
		attempts, err := e.Attempts(t.Context(), sub.ID, ev.ID)
		if err != nil || len(attempts) != 3 || attempts[2].Number != 3 || attempts[2].Status != 200 ||
			d.Attempts != 3 {
			t.Errorf("attempts are %+v, %v; want the two that failed and the third", attempts, err)
		}
		n, err := e.Replay(t.Context(), store.DeliveryQuery{States: []store.State{store.Dead}})
		if err != nil || n != 4 {
			t.Errorf("Replay: %d, %v; want 4", n, err)
		}
		pass(time.Minute)
		if n := e.states(); n[store.Delivered] != 5 {
			t.Errorf("states are %v, want 5 delivered", n)
		}
		if err := e.Redeliver(t.Context(), sub.ID, "no-such-event"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Redeliver of an unknown event: %v, want store.ErrNotFound", err)
		}
		if _, err := e.Unsubscribe(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		if err := e.Redeliver(t.Context(), sub.ID, ev.ID); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Redeliver to an unsubscribed webhook: %v, want store.ErrConflict", err)
		}
	})
}

func TestRedeliverGetsANewSetOfAttempts(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: dispatcher.Backoff{Jitter: -1, MaxAttempts: 3}})
		e.status(500)
		sub := e.subscribe("https://a.example/hook")
		e.run()
		ev := e.publish("order.created", 0)
		pass(time.Hour)
		if err := e.Redeliver(t.Context(), sub.ID, ev.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if d := e.wantState(ev, store.Dead); d.Attempts != 6 {
			t.Errorf("%d attempts, want 3 and 3 more", d.Attempts)
		}
	})
}

func TestHistoryIsKeptAsLongAsRetentionSays(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: dispatcher.Backoff{MaxAttempts: 1}})
		e.subscribe("https://a.example/hook")
		e.answers(func(r request) reply {
			if r.Body[len(r.Body)-2] == '1' {
				return reply{Status: 200}
			}
			return reply{Status: 500}
		})
		e.run()
		delivered := e.publish("order.created", 1)
		dead := e.publish("order.created", 2)
		pass(71 * time.Hour)
		e.wantState(delivered, store.Delivered)
		pass(2 * time.Hour)
		if got := e.deliveries(); len(got) != 1 || got[0].EventID != dead.ID {
			t.Errorf("%d deliveries after 73h, want the dead one alone", len(got))
		}
		pass(28 * 24 * time.Hour)
		if got := e.deliveries(); len(got) != 0 {
			t.Errorf("%d deliveries after 31 days, want none", len(got))
		}
	})
}

func TestRotateSecret(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		old, next := signing.NewSecret(), signing.NewSecret()
		sub, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Secrets: []signing.Secret{old}})
		if err != nil {
			t.Fatal(err)
		}
		e.run()
		verifies := func(when string, wantOld, wantNew bool, airy signing.Secret) {
			t.Helper()
			e.publish("order.created", 1)
			settle()
			all := e.seen("")
			r := all[len(all)-1]
			for _, c := range []struct {
				key  signing.Secret
				want bool
			}{{old, wantOld}, {next, wantNew}} {
				err := (signing.Verifier{Keys: []signing.Secret{c.key}}).Verify(r.Header, []byte(r.Body))
				if (err == nil) != c.want {
					t.Errorf("%s: verifying with the old key (%v) or the new: %v", when, c.key == old, err)
				}
			}
			if got, want := r.Header.Get(signing.HeaderAiry),
				signing.Airy(airy, []byte(r.Body)); got != want {
				t.Errorf("%s: the Airy header is signed with the wrong key", when)
			}
		}
		verifies("before", true, false, old)
		if _, err := e.RotateSecret(t.Context(), sub.ID, next, time.Hour); err != nil {
			t.Fatal(err)
		}
		verifies("during the overlap", true, true, old)
		again, err := e.RotateSecret(t.Context(), sub.ID, next, time.Hour)
		if err != nil || len(again.Secrets) != 2 || again.Secrets[1] != next {
			t.Errorf("the same rotation again left %d keys, %v; want the old and the new",
				len(again.Secrets), err)
		}
		pass(time.Hour)
		verifies("after the overlap", false, true, next)
		got, err := e.RotateSecret(t.Context(), sub.ID, "", 0)
		if err != nil || len(got.Secrets) != 1 || got.Secrets[0] == next {
			t.Errorf("RotateSecret without a key or an overlap left %d keys, %v; want a generated one alone",
				len(got.Secrets), err)
		}
		if _, err := e.RotateSecret(t.Context(), sub.ID, "", -1); err == nil {
			t.Error("a negative overlap was taken")
		}
	})
}

func TestStats(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.subscribe("https://a.example/hook", "a.*")
		e.subscribe("https://b.example/hook", "b.*")
		e.answers(func(r request) reply {
			if r.URL == "https://a.example/hook" {
				return reply{Status: 200}
			}
			return reply{Status: 500}
		})
		e.run()
		start := time.Now()
		e.publish("a.a", 1)
		e.publish("b.b", 1)
		settle()
		got, err := e.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if age := got.OldestPending.Sub(start); age < 0 || age > time.Second {
			t.Errorf("OldestPending is %v after the start", age)
		}
		got.OldestPending = time.Time{}
		want := dispatcher.Stats{Subscriptions: 2, Pending: 1, Attempts: 2, Delivered: 1, Retried: 1,
			Concurrency: dispatcher.DefaultConcurrency, Running: true}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
