package pgstore_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// arrivals counts requests by path and by the replica that made them.
type arrivals struct {
	mu   sync.Mutex // guards what follows
	by   map[string]map[string]int
	last map[string]time.Time // by path
}

func (a *arrivals) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by[r.URL.Path] == nil {
		a.by[r.URL.Path] = make(map[string]int)
	}
	a.by[r.URL.Path][r.UserAgent()]++
	a.last[r.URL.Path] = time.Now()
}

// all returns how many requests came to a path, and from how many replicas.
func (a *arrivals) all(path string) (requests, replicas int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.by[path] {
		requests += n
	}
	return requests, len(a.by[path])
}

// TestRateLimitOfAFleet checks that a rate holds for all replicas together: a subscription that
// has a backlog gets no more from two than from one, also if it moves from one to the other
// meanwhile.
func TestRateLimitOfAFleet(t *testing.T) {
	t.Parallel()
	const (
		limit = 20 // a second
		burst = 2
		subs  = 8
	)
	pool, schema := newPool(t)
	a := &arrivals{by: make(map[string]map[string]int), last: make(map[string]time.Time)}
	j := newJudge(t)
	j.Config.Handler = a
	path := func(i int) string { return fmt.Sprintf("/hook/%d", i) }
	run := func(name string) *pgstore.Store {
		s := open(t, pool, schema)
		o := replicaOptions()
		o.UserAgent = name
		o.Policy = func(store.Subscription) dispatcher.Policy {
			return dispatcher.Policy{Rate: limit, Burst: burst}
		}
		d, err := dispatcher.New(s, o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		return s
	}
	first := run("first")
	for i := range subs {
		_, err := newDispatcher(t, first).Subscribe(t.Context(), store.Subscription{URL: j.URL + path(i)})
		if err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	more := func() {
		if err := first.Enqueue(t.Context(), someEvents(50)...); err != nil {
			t.Fatal(err)
		}
	}
	more()
	arrived := func(n int) func() bool {
		return func() bool {
			for i := range subs {
				if got, _ := a.all(path(i)); got < n {
					return false
				}
			}
			return true
		}
	}
	await(t, "each has had some", arrived(5))
	second := run("second")
	published := 50
	await(t, "the second replica has made attempts of what the first had", func() bool {
		if arrived(published - 20)() { // so that there is a backlog always
			more()
			published += 50
		}
		for i := range subs {
			if _, replicas := a.all(path(i)); replicas == 2 && second.Owned() > 0 {
				return true
			}
		}
		return false
	})
	more()
	published += 50
	await(t, "all have had everything", arrived(published))
	for i := range subs {
		requests, replicas := a.all(path(i))
		if requests != published {
			t.Errorf("%s: got %d requests, want %d", path(i), requests, published)
		}
		took := a.last[path(i)].Sub(start).Seconds()
		// Each replica may begin with a burst. Two limits instead of one would be far above.
		if most := float64(burst*replicas) + limit*took; float64(requests) > most {
			t.Errorf("%s: %d requests of %d replicas within %.1f s, want %.0f at most",
				path(i), requests, replicas, took, most)
		}
	}
}
