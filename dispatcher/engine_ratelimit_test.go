package dispatcher_test

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// limitSlow limits subscriptions named slow.
func limitSlow(rate float64, burst int) func(store.Subscription) dispatcher.Policy {
	return func(sub store.Subscription) dispatcher.Policy {
		if strings.Contains(sub.URL, "slow") {
			return dispatcher.Policy{Rate: rate, Burst: burst}
		}
		return dispatcher.Policy{}
	}
}

// checkRate wants no stretch of time to hold more requests than the limit allows.
func checkRate(t *testing.T, rs []request, limit float64, burst, restarts int) {
	t.Helper()
	for i := range rs {
		for j := i; j < len(rs); j++ {
			most := float64(burst+restarts) + limit*rs[j].At.Sub(rs[i].At).Seconds() + 1e-6
			if n := j - i + 1; float64(n) > most {
				t.Fatalf("%d requests within %v, want %.1f at most", n, rs[j].At.Sub(rs[i].At), most)
			}
		}
	}
}

// countingStore counts calls.
type countingStore struct {
	store.Store
	mu    sync.Mutex
	calls map[string]int
}

func (s *countingStore) count(method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method]++
}

func (s *countingStore) Claim(ctx ctx, req store.ClaimRequest) (store.ClaimResult, error) {
	s.count("Claim")
	return s.Store.Claim(ctx, req)
}

func (s *countingStore) Release(ctx ctx, leases ...store.Lease) error {
	s.count("Release")
	return s.Store.Release(ctx, leases...)
}

func TestRateLimitHoldsAndKeepsTheOrder(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		s := &countingStore{Store: inner, calls: make(map[string]int)}
		const limit, burst, n = 5, 3, 100
		e := newEngine(t, s, &dispatcher.Options{Policy: limitSlow(limit, burst)})
		e.subscribe("https://slow.example/hook")
		e.subscribe("https://free.example/hook")
		var want []string
		for i := range n {
			want = append(want, e.publish("order.created", i).ID)
		}
		start := time.Now()
		e.run()
		pass(time.Second)
		if got := len(e.seen("https://free.example/hook")); got != n {
			t.Errorf("the other subscription got %d within a second, want all %d", got, n)
		}
		pass(time.Minute)
		got := e.seen("https://slow.example/hook")
		checkRate(t, got, limit, burst, 0)
		var order []string
		for _, r := range got {
			order = append(order, r.EventID)
		}
		if !slices.Equal(order, want) {
			t.Errorf("%d arrived, not in the order of publishing, or not all %d", len(order), n)
		}
		if took := got[len(got)-1].At.Sub(start); took > n*time.Second/limit+time.Second {
			t.Errorf("all took %v, want little more than %v", took, n*time.Second/limit)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for method, calls := range s.calls {
			if calls > 10*n {
				t.Errorf("%s was called %d times for %d deliveries: a busy loop", method, calls, n)
			}
		}
	})
}

func TestRateLimitAllowsABurstAfterAPause(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Policy: limitSlow(1, 4)})
		e.subscribe("https://slow.example/hook")
		e.run()
		pass(time.Minute)
		for i := range 10 {
			e.publish("order.created", i)
		}
		settle()
		if n := len(e.seen("")); n != 4 {
			t.Errorf("%d at once after a minute of nothing, want a burst of 4", n)
		}
		pass(10 * time.Second)
		if n := e.states()[store.Delivered]; n != 10 {
			t.Errorf("%d delivered, want all 10", n)
		}
	})
}

func TestRateLimitHoldsAcrossRestarts(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		o := &dispatcher.Options{Policy: limitSlow(0.1, 10)}
		e := newEngine(t, s, o)
		e.subscribe("https://slow.example/hook")
		for i := range 50 {
			e.publish("order.created", i)
		}
		for range 5 {
			e.run()
			pass(25 * time.Second)
			e.stop()
			e.restart(o)
		}
		rs := e.seen("")
		if len(rs) < 5 || len(rs) > 15 {
			t.Errorf(
				"%d requests in five runs of 25s, want one at the start of each and one every ten seconds",
				len(rs))
		}
		checkRate(t, rs, 0.1, 1, 5)
	})
}

func TestRateLimitCountsRetriesToo(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{
			Policy: limitSlow(0.5, 1),
			Backoff: dispatcher.Backoff{Initial: 100 * time.Millisecond, Max: 100 * time.Millisecond,
				Jitter: -1},
		})
		e.status(http.StatusInternalServerError)
		e.subscribe("https://slow.example/hook")
		e.run()
		e.publish("order.created", 1)
		pass(10 * time.Second)
		rs := e.seen("")
		checkRate(t, rs, 0.5, 1, 0)
		if len(rs) < 5 {
			t.Errorf("%d attempts in ten seconds, want one every two", len(rs))
		}
	})
}

// TestRateLimitOutlastsStoreTrouble has the store fail while it is told of a limit.
func TestRateLimitOutlastsStoreTrouble(t *testing.T) {
	for _, method := range []string{"Claim", "Release"} {
		for _, kind := range []faultKind{faultBefore, faultAfter, faultPanic} {
			t.Run(method+" "+string(kind), func(t *testing.T) {
				onEachStore(t, func(t *testing.T, inner store.Store) {
					s := &faultyStore{Store: inner, method: method, kind: kind, k: 2, run: 5,
						calls: make(map[string]int)}
					e := newEngine(t, s, &dispatcher.Options{Policy: limitSlow(1, 1)})
					e.subscribe("https://slow.example/hook")
					var evs []events.Event
					for i := range 20 {
						evs = append(evs, e.publish("order.created", i))
					}
					e.run()
					pass(3 * time.Minute)
					for _, ev := range evs {
						if d := e.wantState(ev, store.Delivered); d.Attempts != 1 {
							t.Errorf("%d attempts, want 1", d.Attempts)
						}
					}
					checkRate(t, e.seen(""), 1, 1, 0)
					s.mu.Lock()
					defer s.mu.Unlock()
					if s.hits != 5 {
						t.Errorf("%d calls were harmed, want 5", s.hits)
					}
					for method, n := range s.calls {
						if n > 400 {
							t.Errorf("%s was called %d times: a busy loop", method, n)
						}
					}
				})
			})
		}
	}
}

func TestRateLimitDoesNotHoldUpStopping(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		s := &faultyStore{Store: inner, method: "Release", kind: faultBefore, k: 1, run: 1 << 30,
			calls: make(map[string]int)}
		e := newEngine(t, s, &dispatcher.Options{Policy: limitSlow(1, 1)})
		e.subscribe("https://slow.example/hook")
		for i := range 20 {
			e.publish("order.created", i)
		}
		e.run()
		pass(time.Second)
		start := time.Now()
		e.stop()
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("Run took %v to stop", d)
		}
	})
}

// A Policy that blocks for one subscription holds up that one alone.
func TestPolicyThatBlocksHoldsUpItsOwn(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		block := make(chan struct{})
		e := newEngine(t, s, &dispatcher.Options{Policy: func(sub store.Subscription) dispatcher.Policy {
			if strings.Contains(sub.URL, "slow") {
				<-block
			}
			return dispatcher.Policy{Rate: math.Inf(1)}
		}})
		e.subscribe("https://slow.example/hook")
		e.subscribe("https://free.example/hook")
		e.run()
		for i := range 100 {
			published := time.Now()
			e.publish("order.created", i)
			settle()
			got := e.seen("https://free.example/hook")
			if len(got) != i+1 || got[i].At.Sub(published) > 15*time.Millisecond {
				t.Fatalf("the other subscription got %d of %d events at once", len(got), i+1)
			}
			pass(time.Second)
		}
		if n := len(e.seen("https://slow.example/hook")); n != 0 {
			t.Errorf("%d attempts without a limit that is known", n)
		}
		close(block)
		pass(2 * time.Second)
		if n := e.states()[store.Delivered]; n != 200 {
			t.Errorf("%d delivered once it has returned, want all 200", n)
		}
	})
}
