package dispatcher_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Promise 5: a slow, dead or flooded subscription delays nobody else.

func newMemstore(*testing.T) store.Store { return memstore.New() }

func TestNoMoreThanPerSubscriptionAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{PerSubscription: 3})
		e.answers(func(request) reply { return reply{Status: 200, Delay: time.Second} })
		e.subscribe("https://a.example/hook")
		for i := range 30 {
			e.publish("order.created", i)
		}
		e.run()
		start := time.Now()
		pass(15 * time.Second)
		if n := e.mostInFlight("https://a.example/hook"); n != 3 {
			t.Errorf("%d attempts at once, want 3", n)
		}
		last := e.seen("")[29].At.Sub(start)
		if last > 10*time.Second {
			t.Errorf("the last of 30 started after %v, want 9s: room must be used as soon as it is there",
				last)
		}
	})
}

func TestBacklogOfOneDoesNotDelayAnother(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Concurrency: 8, PerSubscription: 4})
		e.answers(func(request) reply { return reply{Status: 200, Delay: time.Second} })
		e.subscribe("https://flooded.example/hook", "flood.*")
		e.subscribe("https://quiet.example/hook", "quiet.*")
		var flood []events.Event
		for i := range 2000 {
			ev, _ := events.New("flood.drop", i)
			flood = append(flood, ev)
		}
		if err := e.Publish(t.Context(), flood...); err != nil {
			t.Fatal(err)
		}
		e.run()
		pass(10 * time.Second)
		for range 5 {
			published := time.Now()
			e.publish("quiet.word", 1)
			pass(2 * time.Second)
			r := e.seen("https://quiet.example/hook")
			if len(r) == 0 || r[len(r)-1].At.Sub(published) > time.Second {
				t.Fatalf("not attempted within the time of one request")
			}
		}
	})
}

func TestSlowSubscriptionsTakeHalfAtMost(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Concurrency: 10, PerSubscription: 4})
		e.answers(func(r request) reply {
			if strings.Contains(r.URL, "healthy") {
				return reply{Status: 200}
			}
			return reply{Delay: never}
		})
		e.subscribe("https://healthy.example/hook", "healthy.*")
		e.run()
		e.publish("healthy.word", "proves it")
		settle()
		for i := range 30 {
			e.subscribe(nthURL(i), "slow.*")
		}
		for i := range 10 {
			e.publish("slow.word", i)
		}
		pass(time.Second)
		if n := e.inFlightTotal(); n != 5 {
			t.Errorf("%d attempts of slow subscriptions are in flight, want half of Concurrency, 5", n)
		}
		for range 100 {
			published := time.Now()
			ev := e.publish("healthy.word", 1)
			pass(600 * time.Millisecond)
			e.wantState(ev, store.Delivered)
			r := e.seen("https://healthy.example/hook")
			if d := r[len(r)-1].At.Sub(published); d > 20*time.Millisecond {
				t.Fatalf("delayed by %v, want not at all", d)
			}
		}
	})
}

func (e *endpoints) inFlightTotal() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	total := 0
	for _, n := range e.inFlight {
		total += n
	}
	return total
}

func TestBreakerProbesUntilTheEndpointIsBack(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var opened, closed int
		e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter, PerSubscription: 4,
			Observer: &dispatcher.Observer{
				OnBreakerOpen:  func(dispatcher.Info) { opened++ },
				OnBreakerClose: func(dispatcher.Info) { closed++ },
			}})
		const url = "https://a.example/hook"
		e.status(502)
		e.subscribe(url)
		for i := range 200 {
			e.publish("order.created", i)
		}
		e.run()
		pass(time.Second)
		if n := len(e.seen(url)); n < 10 || n > 10+4 {
			t.Fatalf("%d attempts in the first second, want 10 to 14: then the breaker opens", n)
		}
		first := len(e.seen(url))
		pass(time.Hour)
		// Probes after 5, 10, 20, 40, 80 and 160 seconds, then every five minutes, each with a
		// jitter.
		probes := e.seen(url)[first:]
		if len(probes) < 14 || len(probes) > 20 {
			t.Errorf("%d probes in an hour, want 14 to 20", len(probes))
		}
		e.status(200)
		pass(6 * time.Hour)
		if n := e.states(); n[store.Delivered] != 200 {
			t.Errorf("states are %v, want all 200 delivered", n)
		}
		if n := e.mostInFlight(url); n > 4 {
			t.Errorf("%d at once, want 4 at most", n)
		}
		e.stop()
		if opened != 1 || closed != 1 {
			t.Errorf("the breaker was reported open %d times and closed %d times, want once each", opened,
				closed)
		}
	})
}

func TestBreakerOutlastsARestart(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter})
		e.status(502)
		e.subscribe("https://a.example/hook")
		for i := range 100 {
			e.publish("order.created", i)
		}
		e.run()
		pass(time.Minute)
		e.stop()
		before := len(e.seen(""))
		e.restart(&dispatcher.Options{Backoff: noJitter})
		e.run()
		pass(10 * time.Second)
		if n := len(e.seen("")) - before; n > 1 {
			t.Errorf("%d attempts right after a restart, want a probe at most", n)
		}
	})
}

// Promise 9: memory and goroutines are bounded by Concurrency.

func TestGoroutinesAreBoundedByConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(), &dispatcher.Options{Concurrency: 20})
		e.answers(func(request) reply { return reply{Delay: never} })
		for i := range 500 {
			e.subscribe(nthURL(i))
		}
		for i := range 20 {
			e.publish("order.created", fmt.Sprint(i))
		}
		before := runtime.NumGoroutine()
		e.run()
		for range 60 {
			pass(time.Second)
			if n := runtime.NumGoroutine() - before; n > 20+5 {
				t.Fatalf("%d goroutines beside those before Run, want Concurrency (20) and 5", n)
			}
		}
	})
}
