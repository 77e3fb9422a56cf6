package dispatchertest

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// New returns a Dispatcher on a store in memory that runs until the test ends, and the Receiver
// that gets every request it sends. o may be nil. Its Transport is replaced by the Receiver. If its
// Backoff is zero, retries follow after a millisecond; if it has no Logger, nothing is logged. The
// test fails at once if New of package dispatcher refuses the options, and at its end if Run
// returns an error.
func New(t testing.TB, o *dispatcher.Options) (*dispatcher.Dispatcher, *Receiver) {
	t.Helper()
	return NewOn(t, memstore.New(), o)
}

// NewOn is New on a store of the test's, such as one in the database in which the host publishes
// with PublishTx. Closing it stays the test's; Run may end by that.
func NewOn(
	t testing.TB, s store.Store, o *dispatcher.Options,
) (*dispatcher.Dispatcher, *Receiver) {
	t.Helper()
	var opts dispatcher.Options
	if o != nil {
		opts = *o
	}
	r := &Receiver{
		t:         t,
		timeout:   cmp.Or(opts.Timeout, dispatcher.DefaultTimeout),
		airy:      opts.Signatures == dispatcher.SignaturesAiry,
		endpoints: make(map[string]*Endpoint),
		more:      make(chan struct{}),
	}
	opts.Transport = r
	if opts.Backoff == (dispatcher.Backoff{}) {
		opts.Backoff = dispatcher.Backoff{
			Initial:     time.Millisecond,
			Max:         time.Millisecond,
			MaxAttempts: dispatcher.DefaultMaxAttempts,
		}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	d, err := dispatcher.New(s, &opts)
	if err != nil {
		t.Fatal(err)
	}
	r.d = d
	// Not the test's own context, which ends before its cleanups: Run must deliver up to this one.
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, store.ErrClosed) {
			t.Errorf("dispatchertest: Run: %v", err)
		}
	})
	return d, r
}

// Receiver takes the place of every endpoint. Its methods may be called from any number of
// goroutines, those that can fail the test only from the test's own.
type Receiver struct {
	t testing.TB
	d *dispatcher.Dispatcher

	airy    bool          // deliveries carry the Airy signature alone
	timeout time.Duration // of an attempt, as the Options have it

	mu        sync.Mutex
	endpoints map[string]*Endpoint // by URL, of those that the test has asked for
	made      int                  // how many of them SubscribeWith made
	answers   answers              // of all endpoints
	all       []Delivery           // in the order in which they were answered
	next      int                  // how many of them Next has returned
	more      chan struct{}        // closed and replaced when all has grown
}

// Answer makes the Receiver answer the next requests with these statuses, one each, at whichever
// endpoint that has none of its own; after them, as before the first, it answers 200.
func (r *Receiver) Answer(statuses ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers.once = append(r.answers.once, statuses...)
}

// Always makes the Receiver answer every request with the status, once those of Answer are used up,
// at each endpoint that has none of its own. A status of 0 ends that.
func (r *Receiver) Always(status int) { r.Handle(always(status)) }

// Handle has a handler answer every request, once those of Answer are used up, at each endpoint
// that has no answer of its own; see Handle of Endpoint.
func (r *Receiver) Handle(h http.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers.always = h
}
