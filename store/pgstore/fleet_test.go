package pgstore_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// runFleet runs dispatchers on stores of their own on the schema, until the test ends.
func runFleet(t *testing.T, n int, o *dispatcher.Options) (first *pgstore.Store) {
	t.Helper()
	pool, schema := newPool(t)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	first = open(t, pool, schema)
	stores := []*pgstore.Store{first}
	for range n - 1 {
		stores = append(stores, open(t, pool, schema))
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	for _, s := range stores {
		d, err := dispatcher.New(s, o)
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := d.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	return first
}

// gauge counts how many requests are under way at once.
type gauge struct {
	status  int
	release chan struct{} // requests wait for it

	mu                sync.Mutex // guards all below
	now, most, starts int
}

func (g *gauge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.now++
	g.most = max(g.most, g.now)
	g.starts++
	g.mu.Unlock()
	if g.release != nil {
		<-g.release
	}
	g.mu.Lock()
	g.now--
	g.mu.Unlock()
	w.WriteHeader(g.status)
}

func (g *gauge) seen() (starts, most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.starts, g.most
}

// TestLimitsHoldInAllReplicas checks that PerSubscription is of the whole fleet: three replicas
// together have no more requests under way to an endpoint than one would.
func TestLimitsHoldInAllReplicas(t *testing.T) {
	t.Parallel()
	const limit = 4
	o := replicaOptions()
	o.PerSubscription = limit
	o.Timeout = 30 * time.Second
	s := runFleet(t, 3, o)
	j := newJudge(t)
	g := &gauge{status: http.StatusOK, release: make(chan struct{})}
	j.Config.Handler = g
	subscribeJudge(t, s, j)
	const events = 40
	if err := s.Enqueue(t.Context(), someEvents(events)...); err != nil {
		t.Fatal(err)
	}
	for i := range events {
		select {
		case g.release <- struct{}{}:
		case <-time.After(progress):
			t.Fatalf("request %d did not come", i)
		}
	}
	if starts, most := g.seen(); most > limit || starts != events {
		t.Errorf("requests: got %d, at most %d at once, want %d and at most %d", starts, most, events,
			limit)
	}
}

// TestProbesOfAFleet checks that a dead endpoint gets one probe at a time from the whole fleet, not
// one per replica: each request is one that the health counts.
func TestProbesOfAFleet(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	const probes = 3 // 5, 10 and 20 seconds apart
	s := runFleet(t, 3, replicaOptions())
	j := newJudge(t)
	g := &gauge{status: http.StatusInternalServerError}
	j.Config.Handler = g
	sub := subscribeJudge(t, s, j)
	if err := s.Enqueue(t.Context(), someEvents(100)...); err != nil {
		t.Fatal(err)
	}
	first := waitFor(t, s, sub.ID, func(h store.Health) bool { return h.Probes > 0 })
	before, _ := g.seen() // what was under way when the breaker opened has ended seconds ago
	last := waitFor(t, s, sub.ID, func(h store.Health) bool { return h.Probes >= probes })
	after, _ := g.seen()
	// The one that is next may be under way at either end.
	want := last.Probes - first.Probes
	if got := after - before; got < want-1 || got > want+1 {
		t.Errorf("requests while the health counted %d probes: got %d", want, got)
	}
}

// waitFor waits until the health is as wanted.
func waitFor(t *testing.T, s *pgstore.Store, id string, ok func(store.Health) bool) store.Health {
	t.Helper()
	var health store.Health
	await(t, "the health is as wanted", func() bool {
		stats, err := s.Stats(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		health = stats.Health
		return ok(health)
	})
	return health
}
