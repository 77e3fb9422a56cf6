package dispatcher_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func TestObserverIsToldInOrder(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var called, got []string // in our goroutine, and in Run's
		told := func(what string) func(dispatcher.Info) {
			return func(i dispatcher.Info) { got = append(got, what+" "+string(i.State)) }
		}
		e := newEngine(t, s, &dispatcher.Options{
			Backoff: dispatcher.Backoff{MaxAttempts: 2},
			Observer: &dispatcher.Observer{
				OnPublish:      func(evs []events.Event) { called = append(called, "publish") },
				OnSubscription: func(store.Subscription) { called = append(called, "subscription") },
				OnAttemptStart: told("start"),
				OnAttempt:      told("attempt"),
				OnDelivered:    told("delivered"),
				OnDead:         told("dead"),
			},
		})
		e.subscribe("https://a.example/hook")
		e.status(500)
		e.publish("order.created", 1)
		e.run()
		pass(time.Minute)
		e.status(200)
		e.publish("order.created", 2)
		pass(time.Minute)
		e.stop()
		if want := []string{"subscription", "publish", "publish"}; !slices.Equal(called, want) {
			t.Errorf("got  %q\nwant %q", called, want)
		}
		want := []string{"start pending", "attempt pending", "start pending", "attempt dead", "dead dead",
			"start pending", "attempt delivered", "delivered delivered"}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestObserverThatPanicsOrBlocksHurtsNobody(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		block := make(chan struct{})
		e := newEngine(t, s, &dispatcher.Options{Observer: &dispatcher.Observer{
			OnPublish:      func([]events.Event) { panic("on publish") },
			OnSubscription: func(store.Subscription) { panic("on subscription") },
			OnAttemptStart: func(dispatcher.Info) { panic("on attempt start") },
			OnDelivered:    func(dispatcher.Info) { <-block },
		}})
		e.subscribe("https://a.example/hook")
		e.run()
		publishMany(t, e, "order.created", 10_000)
		pass(time.Minute)
		if n := e.states(); n[store.Delivered] != 10_000 {
			t.Errorf("states are %v, want all delivered", n)
		}
		start := time.Now()
		e.stop()
		if d := time.Since(start); d > dispatcher.DefaultDrainTimeout+10*time.Second {
			t.Errorf("Run took %v to stop", d)
		}
		close(block)
	})
}

type panicking struct{ http.RoundTripper }

func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "bad.example" {
		panic("the transport panics")
	}
	return p.RoundTripper.RoundTrip(r)
}

func TestTransportThatPanicsHurtsOneDelivery(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.restart(&dispatcher.Options{Transport: panicking{e.endpoints}})
		e.subscribe("https://bad.example/hook", "bad.*")
		e.subscribe("https://good.example/hook", "good.*")
		e.run()
		bad := e.publish("bad.one", 1)
		good := e.publish("good.one", 1)
		settle()
		e.wantState(good, store.Delivered)
		if d := e.wantState(bad, store.Pending); d.Attempts != 1 || d.LastError == "" {
			t.Errorf("got %d attempts and error %q, want one failed attempt", d.Attempts, d.LastError)
		}
	})
}
