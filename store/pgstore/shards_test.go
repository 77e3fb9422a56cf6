package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/pgstore/pgtest"
	"github.com/outhook/outhook/store/shards"
)

// sharded is a host over several servers. Tenant "0" is on the first, "1" on the second, and so on.
type sharded struct {
	*testing.T
	judge *judge
	store *shards.Store
	d     *dispatcher.Dispatcher
}

// startSharded starts it with a subscription of each tenant.
func startSharded(t *testing.T, urls ...string) *sharded {
	t.Helper()
	h := &sharded{T: t, judge: newJudge(t)}
	h.store, h.d = runSharded(t, urls...)
	for i := range urls {
		sub := store.Subscription{Tenant: strconv.Itoa(i), URL: h.judge.URL}
		if _, err := h.d.Subscribe(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// runSharded runs a dispatcher over several servers: one replica.
func runSharded(t *testing.T, urls ...string) (over *shards.Store, d *dispatcher.Dispatcher) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var servers []*pgstore.Store
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if over != nil {
			over.Close()
		}
		for _, s := range servers {
			s.Close()
		}
	})
	var stores []store.Store
	for _, url := range urls {
		s, err := pgstore.Open(ctx, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		servers, stores = append(servers, s), append(stores, s)
	}
	var err error
	if over, err = shards.New(number, stores...); err != nil {
		t.Fatal(err)
	}
	d = newDispatcher(t, over)
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return over, d
}

func number(tenant string) int {
	n, err := strconv.Atoi(tenant)
	if err != nil {
		return 0
	}
	return n
}

// publish publishes an event for a tenant whose server may not answer.
func (h *sharded) publish(tenant int) (events.Event, error) {
	return h.publishWithin(time.Second, tenant)
}

func (h *sharded) publishWithin(limit time.Duration, tenant int) (events.Event, error) {
	ev := someEvents(1)[0]
	ev.Tenant = strconv.Itoa(tenant)
	ctx, cancel := context.WithTimeout(h.Context(), limit)
	defer cancel()
	err := h.d.Publish(ctx, ev)
	if err == nil {
		h.judge.ack(ev.ID)
	}
	return ev, err
}

// goesOn publishes for tenants whose servers are well. All must be accepted and arrive, and take no
// longer than the median of a time when all servers were well, with a wide margin: if each waited
// for a server that does not answer, they would take seconds. It returns the median.
func (h *sharded) goesOn(what string, usual time.Duration, tenants ...int) time.Duration {
	h.Helper()
	began := make(map[string]time.Time)
	for range 40 {
		for _, tenant := range tenants {
			at := time.Now()
			ev, err := h.publishWithin(progress, tenant)
			if err != nil {
				h.Fatalf("%s: Publish for tenant %d: %v", what, tenant, err)
			}
			began[ev.ID] = at
		}
	}
	h.judge.await(h.T, what+": events of the others arrive", progress, func(tally) bool {
		for id := range began {
			if !h.judge.has(id) {
				return false
			}
		}
		return true
	})
	var took []time.Duration
	h.judge.mu.Lock()
	for id, at := range began {
		took = append(took, h.judge.at[id].Sub(at))
	}
	h.judge.mu.Unlock()
	slices.Sort(took)
	median := took[len(took)/2]
	h.Logf("%s: median %v, p99 %v, of %d", what, median, took[len(took)*99/100], len(took))
	if usual > 0 && median > 10*usual+250*time.Millisecond {
		h.Errorf("%s: the others took %v at the median, and %v before", what, median, usual)
	}
	return median
}

// refused publishes for a tenant until its server has refused some. What is not known to be stored
// may arrive nevertheless.
func (h *sharded) refused(what string, tenant int) {
	h.Helper()
	var of *shards.Error
	for n := 0; n < 3; {
		_, err := h.publish(tenant)
		switch {
		case err == nil: // from what was under way
		case errors.As(err, &of) && of.Shard == tenant, errors.Is(err, context.DeadlineExceeded):
			n++
		default:
			h.Fatalf("%s: Publish for tenant %d: got error %v, want one of its store", what, tenant, err)
		}
		if h.Context().Err() != nil {
			h.Fatal("the test has ended")
		}
	}
}

// recovers waits until a tenant's events are accepted again, and all that was is delivered.
func (h *sharded) recovers(what string, tenant int) {
	h.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for start := time.Now(); ; <-ticker.C {
		_, err := h.publish(tenant)
		if err == nil {
			break
		}
		if time.Since(start) > progress {
			h.Fatalf("%s: Publish for tenant %d after the fault: %v", what, tenant, err)
		}
	}
	h.judge.await(h.T, what+": everything acknowledged arrives", progress, delivered)
}

// TestShardsOverServers has a dispatcher over two servers. One is killed, started again, slow, and
// frozen; the tenants of the other go on, and nothing is lost.
func TestShardsOverServers(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	sick, well := newServer(t, nil), newServer(t, nil)
	between := newProxy(t, sick.URL())
	h := startSharded(t, between.url, well.URL())
	usual := h.goesOn("both well", 0, 1)
	h.goesOn("both well", 0, 0)

	if err := sick.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.refused("killed", 0)
	h.goesOn("one killed", usual, 1)
	if err := sick.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.recovers("started again", 0)

	between.slow(300 * time.Millisecond)
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for range 10 {
			_, _ = h.publish(0) // what is not acknowledged in time may arrive
		}
	})
	h.goesOn("one slow", usual, 1)
	publishing.Wait()
	between.slow(0)
	h.recovers("quick again", 0)

	if err := sick.Freeze(); err != nil {
		t.Fatal(err)
	}
	h.refused("frozen", 0)
	h.goesOn("one frozen", usual, 1)
	if err := sick.Thaw(); err != nil {
		t.Fatal(err)
	}
	h.recovers("thawed", 0)
}

// TestFourServers has a dispatcher over four servers, of which one is killed again and again, one
// is slow, and one has a full disk. The tenant of the fourth goes on, and when all are well again
// everything acknowledged arrives.
func TestFourServers(t *testing.T) {
	if !long {
		t.Skip("it takes minutes; OUTHOOK_LONG=1 runs it")
	}
	t.Parallel()
	var servers []*pgtest.Server
	for range 4 {
		servers = append(servers, newServer(t, nil))
	}
	killed, lagging, full := servers[0], servers[1], servers[2]
	small := filepath.Join(full.Dir(), "small")
	mountSmall(t, full, small)
	admin := connect(t, full.URL())
	for _, statement := range []string{
		"CREATE TABLESPACE small LOCATION '" + small + "'",
		"ALTER DATABASE postgres SET default_tablespace = 'small'",
	} {
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	between := newProxy(t, lagging.URL())
	h := startSharded(t, killed.URL(), between.url, full.URL(), servers[3].URL())
	usual := h.goesOn("all well", 0, 3)
	h.goesOn("all well", 0, 0, 1, 2)

	ballast := filepath.Join(small, "ballast")
	fill(t, ballast)
	between.slow(500 * time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	var publishing sync.WaitGroup
	for tenant := range 3 {
		publishing.Go(func() {
			for ctx.Err() == nil {
				ev := someEvents(1)[0]
				ev.Tenant = strconv.Itoa(tenant)
				if tenant == 2 { // so that the pages that are there are used up
					ev.Payload = fmt.Appendf(nil, `"%x"`, randomBytes(50_000))
				}
				limited, cancel := context.WithTimeout(ctx, time.Second)
				if err := h.d.Publish(limited, ev); err == nil {
					h.judge.ack(ev.ID)
				}
				cancel()
			}
		})
	}
	for round := range 10 {
		if err := killed.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.goesOn(fmt.Sprintf("round %d, one killed, one slow, one full", round), usual, 3)
		if err := killed.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.goesOn(fmt.Sprintf("round %d, one started, one slow, one full", round), usual, 3)
	}
	stop()
	publishing.Wait()
	h.refused("full disk", 2)
	between.slow(0)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for tenant := range 4 {
		h.recovers("all well again", tenant)
	}
	n := h.judge.tally()
	t.Logf("%d acknowledged, %d lost, %d repeated", n.acked, n.missing, n.repeated)
}
