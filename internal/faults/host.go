package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Config says what a host does. It goes to the child in its environment.
type Config struct {
	Path string   // of the store's file
	URLs []string // of the subscriptions, which the first host on the file makes

	// The User-Agent of deliveries, by which the receiver knows this life of the host.
	Agent        string
	PerSub       int // Options.PerSubscription
	Timeout      time.Duration
	DrainTimeout time.Duration

	Publishers int           // goroutines that publish until the host is stopped
	Pause      time.Duration // what each waits between two calls
	// Events to publish first, because it is not known whether they were stored.
	Again []string
	// Events to publish in turn, each until it is acknowledged and delivered; then the host ends.
	Script []string

	OneThread bool // the store is used by one thread only, so that its system calls can be counted
	NoSync    bool // the file is not synced: for showing that the tests notice
	Prune     bool // what is delivered is removed at once
	Erase     bool // one event in ten is erased once it is acknowledged
	Inside    bool // endpoints are in the host's process; it marks what they get
}

// Key signs all deliveries.
const Key signing.Secret = "key-of-the-fault-suite"

const configEnv = "OUTHOOK_FAULTS_HOST"

// HostMain is what TestMain calls first. In a process that was started to be a host, it is one and
// does not return.
func HostMain() {
	text := os.Getenv(configEnv)
	if text == "" {
		return
	}
	go func() { // a host does not outlive its test
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	h := host{marker: marker{w: os.Stdout}}
	err := json.Unmarshal([]byte(text), &h.Config)
	if err == nil {
		err = h.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// host is the process under test.
type host struct {
	Config
	marker
	d *dispatcher.Dispatcher
}

func (h *host) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := h.openStore(ctx)
	if err != nil {
		return err
	}
	h.mark(Opened, "", "%s", h.Agent)
	before := runtime.NumGoroutine() - 1 // one waits for the signal
	if h.d, err = dispatcher.New(s, h.options()); err != nil {
		return err
	}
	if err := h.subscribe(ctx); err != nil {
		return err
	}
	running := make(chan error, 1)
	go func() { running <- h.d.Run(ctx) }()
	h.mark(Running, "", "")
	var pruning sync.WaitGroup
	if h.Prune {
		pruning.Go(func() { h.pruneOnAndOn(ctx, s) })
	}
	h.work(ctx)
	if h.Script != nil {
		h.mark(Done, "", "")
		stop()
	}
	if err := <-running; err != nil {
		return err
	}
	pruning.Wait()
	signal.Reset(syscall.SIGTERM)
	h.mark(Stopped, fmt.Sprint(goroutinesLeft(before)), "")
	return s.Close()
}

// goroutinesLeft returns how many goroutines there are more than before, once those that are about
// to end have had the time to, on a busy machine too. What signals need stays.
func goroutinesLeft(before int) int {
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(time.Millisecond) {
		if n := max(0, runtime.NumGoroutine()-before); n == 0 || time.Now().After(deadline) {
			return n
		}
	}
}

func (h *host) options() *dispatcher.Options {
	o := &dispatcher.Options{
		AllowPrefixes:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		PerSubscription: h.PerSub,
		Timeout:         h.Timeout,
		DrainTimeout:    h.DrainTimeout,
		UserAgent:       h.Agent,
		Backoff: dispatcher.Backoff{
			Initial: 20 * time.Millisecond, Max: 200 * time.Millisecond, MaxAttempts: 1000,
		},
		Logger: slog.New(slog.DiscardHandler),
		Observer: &dispatcher.Observer{
			OnStoreTrouble: func(op string, err error) { h.mark(Trouble, op, "%v", err) },
		},
	}
	if h.Inside {
		o.Transport = inside{h}
	}
	return o
}

// inside is an endpoint in the host's own process. It marks what it got before it answers.
type inside struct{ h *host }

func (t inside) RoundTrip(r *http.Request) (*http.Response, error) {
	t.h.mark(Got, r.Header.Get("webhook-id"), "%s", r.URL)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// subscribe makes the subscriptions that are not there yet.
func (h *host) subscribe(ctx context.Context) error {
	for i, url := range h.URLs {
		id := SubscriptionID(i)
		for {
			_, err := h.d.Subscription(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				_, err = h.d.Subscribe(ctx, store.Subscription{
					ID: id, URL: url, Secrets: []signing.Secret{Key},
				})
			}
			if err == nil {
				break
			}
			h.mark(Trouble, "subscribe", "%v", err)
			if !isDiskTrouble(err) || !pause(ctx, 10*time.Millisecond) {
				return err
			}
		}
	}
	return nil
}

// SubscriptionID is the ID of the i-th subscription of a host.
func SubscriptionID(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }

// work publishes, until it is through or ctx ends.
func (h *host) work(ctx context.Context) {
	for _, id := range h.Again {
		h.publishUntilAcked(ctx, id)
	}
	var publishers sync.WaitGroup
	for p := range h.Publishers {
		publishers.Go(func() { h.publishOnAndOn(ctx, p) })
	}
	for _, id := range h.Script {
		h.publishUntilAcked(ctx, id)
	}
	for h.Script != nil && !h.idle(ctx) && pause(ctx, 2*time.Millisecond) {
	}
	publishers.Wait()
	if h.Script == nil {
		<-ctx.Done()
	}
}

// idle reports whether nothing is left to be delivered.
func (h *host) idle(ctx context.Context) bool {
	s, err := h.d.Stats(ctx)
	return err == nil && s.Pending == 0
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
