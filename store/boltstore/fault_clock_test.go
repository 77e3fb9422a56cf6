package boltstore_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

const year = 365 * 24 * time.Hour

// TestFaultClock has the system's clock jump by a year, forward and back, while a Dispatcher runs
// and while it does not.
func TestFaultClock(t *testing.T) {
	tests := []struct {
		name    string
		jump    time.Duration
		restart bool
	}{
		{"forward while running", year, false},
		{"back while running", -year, false},
		{"forward across a restart", year, true},
		{"back across a restart", -year, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outhook.db")
			synctest.Test(t, func(t *testing.T) { jumpClock(t, path, tt.jump, tt.restart) })
		})
	}
}

// The delays of the test: with them a delivery is tried for far longer than the test takes.
const (
	tryAgain = time.Minute
	tries    = 100
	struck   = 200
	probed   = 6 * time.Minute // the longest between two probes
)

func jumpClock(t *testing.T, path string, jump time.Duration, restart bool) {
	h := &clockHost{t: t, path: path}
	h.open()
	for _, url := range []string{"https://a.example/hook", "https://b.example/hook"} {
		if _, err := h.d.Subscribe(t.Context(), store.Subscription{URL: url}); err != nil {
			t.Fatal(err)
		}
	}
	h.fail(true)
	for range struck / 2 {
		h.publish()
	}
	h.pass(10*time.Minute + 30*time.Second)
	before := h.count()
	if restart {
		h.close()
		h.jump(jump)
		h.open()
	} else {
		h.jump(jump)
	}
	h.pass(30 * time.Second)
	// Of each subscription a probe may be due, and when time has gone by while the host was down,
	// one retry each.
	if n := h.count() - before; n > 2*(1+1) {
		t.Errorf("%d attempts right after the jump, want a probe or so of each subscription", n)
	}
	h.pass(probed + tryAgain)
	if h.count() == before {
		t.Errorf("no attempt within the longest delay after the jump")
	}
	h.fail(false)
	fresh := h.publish()
	h.pass(probed + 3*tryAgain)
	h.wantAllDelivered()
	if h.arrivals(fresh) != 2 {
		t.Errorf("an event published after the jump arrived %d times, "+
			"want once at each of 2 subscriptions", h.arrivals(fresh))
	}
	h.close()
}

// TestFaultClockPaces has the clock jump under a subscription with a rate limit: the limit, and the
// pauses that the store is asked for, are as long as ever.
func TestFaultClockPaces(t *testing.T) {
	for _, jump := range []time.Duration{year, -year} {
		path := filepath.Join(t.TempDir(), "outhook.db")
		synctest.Test(t, func(t *testing.T) {
			const every = 2 * time.Second
			h := &clockHost{t: t, path: path, rate: 1 / every.Seconds()}
			h.open()
			if _, err := h.d.Subscribe(t.Context(),
				store.Subscription{URL: "https://a.example/hook"}); err != nil {
				t.Fatal(err)
			}
			const n = 60
			for range n {
				h.publish()
			}
			for range 4 {
				h.pass(n / 4 * every)
				h.jump(jump)
			}
			h.pass(every)
			h.close()
			if got := h.count(); got != n {
				t.Errorf("a jump of %v: %d requests in %v, want one every %v", jump, got, n*every,
					every)
			}
			for i := range h.at[1:] {
				if d := h.at[i+1].Sub(h.at[i]); d < every-time.Millisecond ||
					d > every+time.Second {
					t.Errorf("a jump of %v: request %d came %v after the one before, want %v", jump,
						i+1, d, every)
				}
			}
		})
	}
}

// clockHost is a Dispatcher on a boltstore, both of which see a system's clock that can jump.
type clockHost struct {
	t    *testing.T
	path string
	s    *boltstore.Store
	d    *dispatcher.Dispatcher
	stop func()

	rate float64 // of each subscription; if zero, no limit

	mu     sync.Mutex
	offset time.Duration
	down   bool
	at     []time.Time
	// IDs of the events of all requests that were answered with 200, and "" for the others
	seen []string
}

func (h *clockHost) wall() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.offset)
}

func (h *clockHost) jump(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offset += d
}

func (h *clockHost) open() {
	h.t.Helper()
	var err error
	if h.s, err = boltstore.Open(h.path, boltstore.WithWall(h.wall)); err != nil {
		h.t.Fatal(err)
	}
	h.d, err = dispatcher.New(h.s, &dispatcher.Options{
		Transport: h,
		Logger:    slog.New(slog.DiscardHandler),
		Backoff: dispatcher.Backoff{Initial: tryAgain, Max: tryAgain, Jitter: -1,
			MaxAttempts: tries},
		Policy: func(store.Subscription) dispatcher.Policy {
			return dispatcher.Policy{Rate: h.rate}
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.d.Run(ctx) }()
	h.stop = func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("Run = %v, want nil", err)
		}
	}
}

func (h *clockHost) close() {
	h.t.Helper()
	h.stop()
	if err := h.s.Close(); err != nil {
		h.t.Error(err)
	}
}

// RoundTrip implements http.RoundTripper.
func (h *clockHost) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id, status := r.Header.Get("webhook-id"), http.StatusOK
	if h.down {
		id, status = "", http.StatusBadGateway
	}
	h.seen, h.at = append(h.seen, id), append(h.at, time.Now())
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("")),
		Request: r}, nil
}

func (h *clockHost) fail(down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = down
}

func (h *clockHost) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.seen)
}

func (h *clockHost) arrivals(id string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.seen {
		if s == id {
			n++
		}
	}
	return n
}

// publish publishes an event that happens now by the system's clock.
func (h *clockHost) publish() (id string) {
	h.t.Helper()
	e, err := events.New("clock.struck", 1)
	if err != nil {
		h.t.Fatal(err)
	}
	e.Time = h.wall()
	if err := h.d.Publish(h.t.Context(), e); err != nil {
		h.t.Fatal(err)
	}
	return e.ID
}

func (h *clockHost) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (h *clockHost) wantAllDelivered() {
	h.t.Helper()
	page, err := h.d.Deliveries(h.t.Context(), store.DeliveryQuery{Limit: 10 * struck})
	if err != nil {
		h.t.Fatal(err)
	}
	states := make(map[store.State]int)
	for _, d := range page.Items {
		states[d.State]++
	}
	if want := struck + 2; states[store.Delivered] != want {
		h.t.Errorf("states are %v, want all %d delivered", states, want)
	}
}
