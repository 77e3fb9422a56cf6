package dispatcher_test

import (
	"log/slog"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// The wire tests run over real sockets. They are on loopback, which AllowPrefixes opens for them.

// wire is a Dispatcher on a memstore, which tells of each attempt that was recorded.
type wire struct {
	*dispatcher.Dispatcher
	store    *memstore.Store
	attempts chan dispatcher.Info
	disabled chan store.Subscription
}

// newWire returns a Dispatcher that is not running yet. Without AllowPrefixes it gets those of
// loopback.
func newWire(t *testing.T, o dispatcher.Options) *wire {
	t.Helper()
	w := &wire{store: memstore.New(), attempts: make(chan dispatcher.Info, 4096),
		disabled: make(chan store.Subscription, 16)}
	o.Observer = &dispatcher.Observer{
		OnAttempt:  func(i dispatcher.Info) { w.attempts <- i },
		OnDisabled: func(s store.Subscription) { w.disabled <- s },
	}
	if o.AllowPrefixes == nil {
		o.AllowPrefixes = nettest.Loopback()
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
	return w.publishFor(t, "", payload)
}

// publishFor publishes an event of a tenant.
func (w *wire) publishFor(t *testing.T, tenant string, payload any) events.Event {
	t.Helper()
	e, err := events.New(events.TypeMessageCreated, payload)
	if err != nil {
		t.Fatal(err)
	}
	e.Tenant = tenant
	if err := w.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

// next returns the result of the next attempt.
func (w *wire) next(t *testing.T) dispatcher.Info {
	t.Helper()
	return nettest.Receive(t, w.attempts, "an attempt")
}

// ping makes an attempt at the URL, which is not checked before, and returns its result.
func (w *wire) ping(t *testing.T, url string) store.Attempt {
	t.Helper()
	return w.Send(t.Context(), &store.Claim{
		Lease:        store.Lease{SubscriptionID: "3e639566-29fa-450d-a59f-ae3c25d7260f", EventID: "e1"},
		Subscription: &store.Subscription{URL: url},
		Body:         []byte(`{"type":"message.created","timestamp":1603661094560,"payload":{}}`),
		Attempt:      1,
	})
}
