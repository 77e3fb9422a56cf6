package pgstore_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/pgstore/pgtest"
)

// recovery is how soon after a fault of the server all must be well again. On a machine that has
// other things to do, it may take recoveryBusy, which is less than leases last: nothing may wait
// for those to run out.
const (
	recovery     = 5 * time.Second
	recoveryBusy = lease * 3 / 4
)

// newServer returns a server of the test's own.
func newServer(t *testing.T, settings map[string]string) *pgtest.Server {
	t.Helper()
	srv, err := pgtest.Start(t.Context(), pgtest.Config{Settings: settings})
	if errors.Is(err, pgtest.ErrNotInstalled) {
		skip(t, "this test stops and starts a server of its own, and none is installed")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Remove)
	return srv
}

// hosts are three dispatchers in this process, each with a pool of its own, that deliver while one
// of them publishes.
type hosts struct {
	judge *judge
	url   string
	d     *dispatcher.Dispatcher // of the first
}

// startHosts starts them on the server. They end with the test, which fails when one of them does
// before.
func startHosts(t *testing.T, url string) *hosts {
	t.Helper()
	h := &hosts{judge: newJudge(t), url: url}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var stores []*pgstore.Store
	t.Cleanup(func() {
		cancel()
		running.Wait()
		for _, s := range stores {
			s.Close()
		}
	})
	for i := range 3 {
		s, err := pgstore.Open(ctx, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
		d := newDispatcher(t, s)
		if i == 0 {
			h.d = d
			subscribeJudge(t, s, h.judge)
		}
		running.Go(func() {
			if err := d.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	return h
}

// publishFor publishes for some time. What is refused is published no more: it may or may not
// arrive.
func (h *hosts) publishFor(ctx context.Context, d time.Duration) (refused int) {
	every(5*time.Millisecond, d, func() {
		evs := someEvents(1)
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := h.d.Publish(ctx, evs...); err != nil {
			refused++
			return
		}
		h.judge.ack(ids(evs)...)
	})
	return refused
}

// publishUntilAccepted publishes one event again and again, and returns which.
func (h *hosts) publishUntilAccepted(t *testing.T) (id string) {
	t.Helper()
	evs := someEvents(1)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for start := time.Now(); ; {
		err := h.d.Publish(t.Context(), evs...)
		if err == nil {
			h.judge.ack(evs[0].ID)
			return evs[0].ID
		}
		if time.Since(start) > progress {
			t.Fatalf("Publish after the fault: %v", err)
		}
		<-ticker.C
	}
}

// recovered checks that publishing and delivering go on soon, and that nothing acknowledged is
// lost. Leases that went down with a fault have to run out first.
func (h *hosts) recovered(t *testing.T, repeats int) {
	t.Helper()
	start := time.Now()
	id := h.publishUntilAccepted(t)
	accepted := time.Since(start)
	h.judge.await(t, "an event published after the fault", recoveryBusy, func(tally) bool {
		return h.judge.has(id)
	})
	took := time.Since(start)
	if long && took > recovery {
		t.Errorf("recovery: took %v, want at most %v", took, recovery)
	}
	n := h.judge.await(t, "everything acknowledged arrives", progress, delivered)
	if n.repeated > repeats {
		t.Errorf("repeated: %d, want at most %d", n.repeated, repeats)
	}
	t.Logf("accepted after %v, delivered after %v; %d acknowledged, %d lost, %d repeated",
		accepted.Round(time.Millisecond), took.Round(time.Millisecond), n.acked, n.missing, n.repeated)
}

// rounds is how often a fault comes.
func rounds(short, full int) int {
	if long {
		return full
	}
	return short
}
