package dispatcher_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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

// TestFaultTarpit has a healthy subscription beside one whose endpoint never answers, with fifty
// events a second each.
func TestFaultTarpit(t *testing.T) {
	events := scaled(200, 3000)
	alone := newHealthy(t)
	alone.publishSteadily(t, events)
	quiet := alone.percentile(99)

	beside := newHealthy(t)
	beside.subscribe(t, "http://"+tarpit(t)+"/hook")
	beside.publishSteadily(t, events)
	disturbed := beside.percentile(99)
	t.Logf("publish to arrival, p99 of %d: %v alone, %v beside a tarpit", events, quiet, disturbed)
	if slack := time.Duration(scaled(100, 0)) * time.Millisecond; disturbed > 2*quiet+slack {
		t.Errorf("p99 is %v beside a tarpit and %v alone, want twice that and %v at most", disturbed,
			quiet, slack)
	}
}

// TestFaultDeadEndpoints has a healthy subscription beside thousands that are dead, one half
// refusing and one half silent, with ten deliveries pending for each.
func TestFaultDeadEndpoints(t *testing.T) {
	const each = 10
	dead, count := scaled(500, 10_000), scaled(200, 3000)
	h := newHealthy(t)
	h.publishSteadily(t, 1) // an endpoint that has never answered is as good as a dead one
	h.took = nil
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
	h.publishSteadily(t, count)
	goroutines, files := most()
	p99 := h.percentile(99)
	t.Logf(
		"%d dead endpoints with %d deliveries: p99 of %d is %v, at most %d goroutines and %d open files",
		dead, dead*each, count, p99, goroutines, files)
	const concurrency = dispatcher.DefaultConcurrency
	if limit := time.Duration(scaled(500, 50)) * time.Millisecond; p99 > limit {
		t.Errorf("p99 is %v, want %v at most", p99, limit)
	}
	if goroutines > 3*concurrency+100 {
		t.Errorf("%d goroutines, want %d at most", goroutines, 3*concurrency+100)
	}
	if files > 2*concurrency+50 {
		t.Errorf("%d open files, want %d at most", files, 2*concurrency+50)
	}
}

// healthy is a running Dispatcher on a boltstore with one healthy subscription, and how long its
// events take.
type healthy struct {
	*dispatcher.Dispatcher

	mu    sync.Mutex
	conns map[net.Conn]bool
	took  []time.Duration
	all   chan struct{} // gets a value at each arrival
}

func newHealthy(t *testing.T) *healthy {
	t.Helper()
	h := &healthy{conns: make(map[net.Conn]bool), all: make(chan struct{}, 1<<16)}
	server := httptest.NewUnstartedServer(h)
	server.Config.ConnState = h.track
	server.Start()
	t.Cleanup(server.Close)
	d, err := dispatcher.New(openBolt(t, filepath.Join(t.TempDir(), "outhook.db")),
		&dispatcher.Options{
			AllowPrefixes: nettest.Loopback(),
			Logger:        slog.New(slog.DiscardHandler),
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

func (h *healthy) publish(t *testing.T, eventType string, payload any) {
	t.Helper()
	e, err := events.New(eventType, payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// ServeHTTP notes how long ago the event was published.
func (h *healthy) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	now := time.Now()
	var body struct {
		Payload struct{ At string }
	}
	text, _ := io.ReadAll(r.Body)
	json.Unmarshal(text, &body)
	at, _ := strconv.ParseInt(body.Payload.At, 10, 64)
	h.mu.Lock()
	h.took = append(h.took, now.Sub(time.Unix(0, at)))
	h.mu.Unlock()
	h.all <- struct{}{}
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

// publishSteadily publishes fifty events a second and waits until all have arrived.
func (h *healthy) publishSteadily(t *testing.T, n int) {
	t.Helper()
	tick := time.NewTicker(time.Second / 50)
	defer tick.Stop()
	for range n {
		<-tick.C
		h.publish(t, events.TypeMessageCreated,
			map[string]string{"At": strconv.FormatInt(time.Now().UnixNano(), 10)})
	}
	for range n {
		nettest.Receive(t, h.all, "an event")
	}
}

func (h *healthy) percentile(p int) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.took)
	return h.took[len(h.took)*p/100]
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
