package dispatcher_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// faultKind is what a faulty store does to a call.
type faultKind string

const (
	faultBefore faultKind = "fails before the work"
	faultAfter  faultKind = "fails after the work"
	faultDelay  faultKind = "delays"
	faultPanic  faultKind = "panics"
	faultStale  faultKind = "hands out stale claims"
)

// faultyStore does harm to the k-th call of a method, and to as many after it as it is told to.
type faultyStore struct {
	store.Store
	method string
	kind   faultKind
	k, run int

	mu    sync.Mutex
	calls map[string]int
	hits  int
	stale store.Claims // what the last Claim gave that gave something
}

// hit counts a call and reports whether harm is to be done to it.
func (s *faultyStore) hit(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method]++
	n := s.calls[method]
	hit := method == s.method && n >= s.k && n < s.k+s.run
	if hit {
		s.hits++
	}
	return hit
}

func through[T any](s *faultyStore, method string, work func() (T, error)) (out T, err error) {
	if !s.hit(method) {
		return work()
	}
	switch s.kind {
	case faultBefore:
		return out, errDisk
	case faultAfter:
		if _, err := work(); err != nil {
			return out, err
		}
		return out, errDisk
	case faultPanic:
		panic("the store panics")
	case faultDelay:
		<-time.After(5 * time.Second)
	}
	return work()
}

func (s *faultyStore) Enqueue(ctx ctx, evs ...events.Event) error {
	_, err := through(s, "Enqueue", func() (struct{}, error) { return struct{}{}, s.Store.Enqueue(ctx, evs...) })
	return err
}

func (s *faultyStore) Claim(ctx ctx, req store.ClaimRequest) (store.Claims, error) {
	return through(s, "Claim", func() (store.Claims, error) {
		s.mu.Lock()
		stale := s.stale
		hit := s.kind == faultStale && s.calls["Claim"] >= s.k && s.calls["Claim"] < s.k+s.run
		s.mu.Unlock()
		if hit {
			stale.Claims = stale.Claims[:min(len(stale.Claims), req.Max)]
			return stale, nil
		}
		claims, err := s.Store.Claim(ctx, req)
		if len(claims.Claims) > 0 {
			s.mu.Lock()
			s.stale = claims
			s.mu.Unlock()
		}
		return claims, err
	})
}

func (s *faultyStore) Finish(ctx ctx, outcomes ...store.Outcome) ([]store.Result, error) {
	return through(s, "Finish", func() ([]store.Result, error) { return s.Store.Finish(ctx, outcomes...) })
}

func (s *faultyStore) Release(ctx ctx, leases ...store.Lease) error {
	_, err := through(s, "Release", func() (struct{}, error) { return struct{}{}, s.Store.Release(ctx, leases...) })
	return err
}

func (s *faultyStore) Pause(ctx ctx, id string, d time.Duration) error {
	_, err := through(s, "Pause", func() (struct{}, error) { return struct{}{}, s.Store.Pause(ctx, id, d) })
	return err
}

func (s *faultyStore) UpdateSubscription(ctx ctx, id string, change func(*store.Subscription) error) (store.Subscription, error) {
	return through(s, "UpdateSubscription", func() (store.Subscription, error) { return s.Store.UpdateSubscription(ctx, id, change) })
}

func (s *faultyStore) Prune(ctx ctx, r store.Retention) (bool, error) {
	return through(s, "Prune", func() (bool, error) { return s.Store.Prune(ctx, r) })
}

// TestFaultStore does harm to each call by which a Dispatcher relies on its store, at the first, the second, and so on.
func TestFaultStore(t *testing.T) {
	kinds := []faultKind{faultBefore, faultAfter, faultDelay, faultPanic}
	hits := make(map[string]int)
	for _, method := range []string{"Enqueue", "Claim", "Finish", "Release", "UpdateSubscription", "Prune"} {
		of := kinds
		if method == "Claim" {
			of = append(of[:len(of):len(of)], faultStale)
		}
		for _, kind := range of {
			t.Run(method+" "+string(kind), func(t *testing.T) {
				for k := 1; k <= 6; k++ {
					for _, run := range []int{1, 4} {
						synctest.Test(t, func(t *testing.T) {
							s := &faultyStore{Store: memstore.New(), method: method, kind: kind, k: k, run: run, calls: make(map[string]int)}
							surviveFaults(t, s)
							hits[method+" "+string(kind)] += s.hits
						})
					}
				}
			})
		}
	}
	for what, n := range hits {
		if n == 0 {
			t.Errorf("%s: no call was harmed", what)
		}
	}
}

// surviveFaults puts a Dispatcher on the store through all that makes it call the store, and then wants everything as it
// would be on a store that never fails.
func surviveFaults(t *testing.T, s *faultyStore) {
	o := &dispatcher.Options{Backoff: dispatcher.Backoff{Initial: time.Second, Max: time.Second, Jitter: -1}, DrainTimeout: -1}
	e := newEngine(t, s, o)
	e.answers(func(r request) reply {
		switch {
		case strings.Contains(r.URL, "flaky") && r.Attempt == 1:
			return reply{Status: http.StatusBadGateway}
		case strings.Contains(r.URL, "gone"):
			return reply{Status: http.StatusGone}
		}
		return reply{Status: 200, Delay: 100 * time.Millisecond}
	})
	e.subscribe("https://steady.example/hook", "all.*")
	e.subscribe("https://flaky.example/hook", "all.*")
	gone := e.subscribe("https://gone.example/hook", "gone.*")
	e.run()
	var evs []events.Event
	for i := range 8 {
		evs = append(evs, publishAnyhow(t, e, "all.things", i))
		pass(20 * time.Millisecond)
		if i == 4 { // with requests under way, which are given back
			if err := e.stopRun(); err != nil {
				t.Fatal(err)
			}
			e.restart(o)
			e.run()
		}
	}
	publishAnyhow(t, e, "gone.thing", 1)
	pass(time.Hour)
	for _, ev := range evs {
		page, err := e.Deliveries(t.Context(), store.DeliveryQuery{EventID: ev.ID})
		if err != nil || len(page.Items) != 2 {
			t.Fatalf("%s: event %s has %d deliveries, %v; want 2", s, ev.ID, len(page.Items), err)
		}
		for _, d := range page.Items {
			checkSurvivor(t, e, s, d)
		}
	}
	if got, err := e.Subscription(t.Context(), gone.ID); err != nil || got.Status != store.Unsubscribed {
		t.Errorf("%s: the subscription that answered 410 is %q, %v", s, got.Status, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for method, n := range s.calls {
		if n > 400 { // in an hour
			t.Errorf("%s: %s was called %d times: a busy loop", s, method, n)
		}
	}
}

// checkSurvivor wants a delivery to be delivered, by as many attempts as its endpoint demands, however often it came.
func checkSurvivor(t *testing.T, e *engine, s *faultyStore, d store.Delivery) {
	t.Helper()
	sub, err := e.Subscription(t.Context(), d.SubscriptionID)
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	if strings.Contains(sub.URL, "flaky") {
		want = 2
	}
	arrivals := 0
	for _, r := range e.seen(sub.URL) {
		if r.EventID == d.EventID {
			arrivals++
		}
	}
	switch {
	case d.State != store.Delivered || arrivals == 0:
		t.Errorf("%s: event %s at %s is %s after %d requests, want delivered", s, d.EventID, sub.URL, d.State, arrivals)
	case d.Attempts != want:
		t.Errorf("%s: event %s at %s has %d attempts counted, want %d: trouble with the store is none", s, d.EventID, sub.URL, d.Attempts, want)
	}
}

func (s *faultyStore) String() string {
	return fmt.Sprintf("%s %s, from call %d to %d", s.method, s.kind, s.k, s.k+s.run-1)
}

// publishAnyhow publishes an event, again and again until the store takes it, as a host would.
func publishAnyhow(t *testing.T, e *engine, eventType string, payload any) events.Event {
	t.Helper()
	ev, err := events.New(eventType, payload)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if publishOnce(t, e, ev) == nil {
			return ev
		}
	}
	t.Fatal("the store never took the event")
	return ev
}

// publishOnce publishes an event. What panics in the host's own call is the host's to see.
func publishOnce(t *testing.T, e *engine, ev events.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return e.Publish(t.Context(), ev)
}
