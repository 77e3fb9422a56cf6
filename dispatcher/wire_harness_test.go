package dispatcher_test

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// The wire tests run over real sockets. They are on loopback, which AllowPrefixes opens for them.

// patience is how long a wire test waits for what must come.
const patience = 30 * time.Second

// loopback is what AllowPrefixes must have for deliveries to reach a test's own servers.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// wire is a Dispatcher on a memstore, which tells of each attempt that was recorded.
type wire struct {
	*dispatcher.Dispatcher
	store    *memstore.Store
	attempts chan dispatcher.Info
	disabled chan store.Subscription
}

// newWire returns a Dispatcher that is not running yet. Without AllowPrefixes it gets those of loopback.
func newWire(t *testing.T, o dispatcher.Options) *wire {
	t.Helper()
	w := &wire{store: memstore.New(), attempts: make(chan dispatcher.Info, 4096), disabled: make(chan store.Subscription, 16)}
	o.Observer = &dispatcher.Observer{
		OnAttempt:  func(i dispatcher.Info) { w.attempts <- i },
		OnDisabled: func(s store.Subscription) { w.disabled <- s },
	}
	if o.AllowPrefixes == nil {
		o.AllowPrefixes = loopback()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d, err := dispatcher.New(w.store, &o)
	if err != nil {
		t.Fatal(err)
	}
	w.Dispatcher = d
	return w
}

// run runs the Dispatcher until the test ends.
func (w *wire) run(t *testing.T) {
	t.Helper()
	done := make(chan error, 1)
	ctx := t.Context()
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
}

// startWire is newWire, running.
func startWire(t *testing.T, o dispatcher.Options) *wire {
	t.Helper()
	w := newWire(t, o)
	w.run(t)
	return w
}

func (w *wire) subscribe(t *testing.T, sub store.Subscription) store.Subscription {
	t.Helper()
	out, err := w.Subscribe(t.Context(), sub)
	if err != nil {
		t.Fatalf("Subscribe(%q) = %v", sub.URL, err)
	}
	return out
}

// put stores a subscription as it is, past all checks.
func (w *wire) put(t *testing.T, sub store.Subscription) store.Subscription {
	t.Helper()
	sub.Status = store.Subscribed
	out, err := w.store.CreateSubscription(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *wire) publish(t *testing.T, payload any) events.Event {
	t.Helper()
	e, err := events.New(events.TypeMessageCreated, payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

// next returns what came of the next attempt.
func (w *wire) next(t *testing.T) dispatcher.Info {
	t.Helper()
	return receive(t, w.attempts, "an attempt")
}

// ping makes an attempt at the URL, whatever checks say of it, and returns what came of it.
func (w *wire) ping(t *testing.T, url string) store.Attempt {
	t.Helper()
	return w.Send(t.Context(), &store.Claim{
		Lease:        store.Lease{SubscriptionID: "3e639566-29fa-450d-a59f-ae3c25d7260f", EventID: "e1"},
		Subscription: store.Subscription{URL: url},
		Body:         []byte(`{"type":"message.created","timestamp":1603661094560,"payload":{}}`),
		Attempt:      1,
	})
}

// receive takes a value from a channel, and fails the test when none comes.
func receive[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not come within %v", what, patience)
	}
	return v
}

// listen serves each connection to a new port of 127.0.0.1 in a goroutine of its own, and returns the port's address. When the
// test ends, connections are closed and their goroutines waited for.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	return listenAt(t, "127.0.0.1:0", serve)
}

func listenAt(t *testing.T, address string, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		conns []net.Conn
		wg    sync.WaitGroup
	)
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// counter counts the requests or connections that reach a server.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// ServeHTTP counts and answers 200.
func (c *counter) ServeHTTP(http.ResponseWriter, *http.Request) { c.add() }

// inChild runs the test that calls it in a process of its own with additions to the environment, and reports whether
// this is that process: if not, the test is over.
func inChild(t *testing.T, env ...string) bool {
	t.Helper()
	const mark = "OUTHOOK_TEST_CHILD"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), append(env, mark+"="+t.Name())...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a process of its own: %v\n%s", err, out)
	}
	return false
}
