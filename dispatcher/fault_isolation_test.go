package dispatcher_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// scaled returns how much of something a fault test does: in the short version, and with
// OUTHOOK_LONG set.
func scaled(short, full int) int {
	if os.Getenv("OUTHOOK_LONG") != "" {
		return full
	}
	return short
}

// TestFaultTarpit has a healthy subscription beside one whose endpoint never answers, with the same
// events. An attempt at the tarpit lasts as long as the test, so an event that waited for one to
// end would never arrive.
func TestFaultTarpit(t *testing.T) {
	alone, beside := newHealthy(t), newHealthy(t)
	beside.subscribe(t, "http://"+tarpit(t)+"/hook")
	events := scaled(400, 3000) // more than Concurrency: the tarpit could take all slots
	besideAlone(t, alone, beside, events)
	if s, err := beside.Stats(t.Context()); err != nil || s.Pending < events {
		t.Errorf("%d deliveries are pending, %v; want the tarpit's %d", s.Pending, err, events)
	}
}

// TestFaultDeadEndpoints has a healthy subscription beside thousands that are dead, one half
// refusing and one half silent, with ten deliveries pending for each. An attempt at a silent one
// lasts as long as the test.
func TestFaultDeadEndpoints(t *testing.T) {
	const each = 10
	dead, count := scaled(500, 10_000), scaled(200, 3000)
	alone, h := newHealthy(t), newHealthy(t)
	h.arrive(t, h.publishNow(t)) // an endpoint that has never answered is as good as a dead one
	hosts := []string{nettest.Refusing(t), tarpit(t)}
	var callers sync.WaitGroup
	for part := range 50 {
		callers.Go(func() {
			for i := part; i < dead; i += 50 {
				h.subscribe(t, fmt.Sprintf("http://%s/%d", hosts[i%2], i), "dead.*")
			}
		})
	}
	callers.Wait()
	for range each {
		h.publish(t, "dead.letter", "of no interest")
	}
	if s, err := h.Stats(t.Context()); err != nil || s.Pending < dead*each/2 {
		t.Fatalf("%d deliveries are pending, %v; want about %d", s.Pending, err, dead*each)
	}
	most := h.watch(t)
	besideAlone(t, alone, h, count)
	goroutines, files := most()
	t.Logf("%d dead endpoints with %d deliveries: at most %d goroutines and %d open files",
		dead, dead*each, goroutines, files)
	const concurrency = dispatcher.DefaultConcurrency
	if goroutines > 3*concurrency+100 {
		t.Errorf("%d goroutines, want %d at most", goroutines, 3*concurrency+100)
	}
	if files > 2*concurrency+50 {
		t.Errorf("%d open files, want %d at most", files, 2*concurrency+50)
	}
}

// besideAlone publishes n events, one at a time, to a healthy subscription that is alone and to one
// that is not. It wants all to arrive, and in about the same time: both are measured in turn, on a
// machine that may be busy, so the bounds are wide. What the schedule would have an event wait for
// is a second and more.
func besideAlone(t *testing.T, alone, beside *healthy, n int) {
	t.Helper()
	var quiet, disturbed []time.Duration
	for i := range n {
		first, second := alone, beside
		if i%2 == 1 {
			first, second = second, first
		}
		for _, h := range []*healthy{first, second} {
			took := h.arrive(t, h.publishNow(t))
			if h == alone {
				quiet = append(quiet, took)
			} else {
				disturbed = append(disturbed, took)
			}
		}
	}
	slices.Sort(quiet)
	slices.Sort(disturbed)
	for _, bound := range []struct{ percent, times int }{{50, 3}, {90, 6}} {
		at := n * bound.percent / 100
		want := time.Duration(bound.times)*quiet[at] + 20*time.Millisecond
		t.Logf("publish to arrival, p%d of %d: %v alone, %v beside the others",
			bound.percent, n, quiet[at], disturbed[at])
		if disturbed[at] > want {
			t.Errorf("p%d is %v, and %v alone; want %v at most",
				bound.percent, disturbed[at], quiet[at], want)
		}
	}
}

// healthy is a running Dispatcher on a boltstore with one healthy subscription. Its attempts have
// all the time that they want.
type healthy struct {
	*dispatcher.Dispatcher
	arrived chan string // gets the ID of each event that arrives

	mu    sync.Mutex // guards conns
	conns map[net.Conn]bool
}

func newHealthy(t *testing.T) *healthy {
	t.Helper()
	h := &healthy{conns: make(map[net.Conn]bool), arrived: make(chan string, 100)}
	server := httptest.NewUnstartedServer(h)
	server.Config.ConnState = h.track
	server.Start()
	t.Cleanup(server.Close)
	s := openBolt(t, filepath.Join(t.TempDir(), "outhook.db"))
	d, err := dispatcher.New(s, &dispatcher.Options{
		AllowPrefixes: nettest.Loopback(),
		Logger:        slog.New(slog.DiscardHandler),
		Timeout:       time.Hour,
		Quota:         manySubscriptions,
		DrainTimeout:  -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Dispatcher = d
	h.subscribe(t, server.URL+"/healthy", events.TypeMessageCreated)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	return h
}

func (h *healthy) subscribe(t *testing.T, url string, patterns ...string) {
	t.Helper()
	if _, err := h.Subscribe(t.Context(), store.Subscription{URL: url, Events: patterns}); err != nil {
		t.Error(err)
	}
}

func (h *healthy) publish(t *testing.T, eventType string, payload any) (id string) {
	t.Helper()
	e, err := events.New(eventType, payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

// sent is an event that is on its way.
type sent struct {
	id string
	at time.Time
}

// publishNow publishes an event to the healthy subscription.
func (h *healthy) publishNow(t *testing.T) sent {
	t.Helper()
	at := time.Now()
	return sent{h.publish(t, events.TypeMessageCreated, "hello"), at}
}

// arrive waits until the event is there, and returns how long it took.
func (h *healthy) arrive(t *testing.T, s sent) time.Duration {
	t.Helper()
	if id := nettest.Receive(t, h.arrived, "an event"); id != s.id {
		t.Fatalf("%s arrived, want %s", id, s.id)
	}
	return time.Since(s.at)
}

func (h *healthy) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	h.arrived <- r.Header.Get("webhook-id")
}

func (h *healthy) track(c net.Conn, s http.ConnState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch s {
	case http.StateNew:
		h.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(h.conns, c)
	}
}

// watch samples what the process uses, less what is the receiver's. The function that it returns
// ends that and returns the most that was seen.
func (h *healthy) watch(t *testing.T) (most func() (goroutines, files int)) {
	t.Helper()
	goroutines, files := 0, 0
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			h.mu.Lock()
			mine := len(h.conns)
			h.mu.Unlock()
			goroutines = max(goroutines, runtime.NumGoroutine()-mine)
			if open, err := os.ReadDir("/proc/self/fd"); err == nil {
				files = max(files, len(open)-mine)
			}
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return func() (int, int) {
		close(stop)
		<-done
		return goroutines, files
	}
}

// tarpit returns an address that takes connections and never answers, nor costs this process
// anything.
func tarpit(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
