package dispatcher_test

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

const (
	badURL  = "https://bad.example/hook"
	goodURL = "https://good.example/hook"
	badID   = "00000000-0000-4000-8000-000000000bad"
)

// callbacks are options that have the host called, by the name of what is called: it does harm when
// it is about the bad endpoint.
func callbacks(next http.RoundTripper, harm func()) map[string]*dispatcher.Options {
	about := func(bad bool) {
		if bad {
			harm()
		}
	}
	return map[string]*dispatcher.Options{
		"Success": {Success: func(status int) bool {
			about(status == http.StatusTeapot)
			return status == 200
		}},
		"Filter": {Filter: func(s store.Subscription, _ events.Event) bool {
			about(s.URL == badURL)
			return true
		}},
		"Transform": {Transform: func(_ context.Context, s store.Subscription, _ events.Event,
			_ *dispatcher.Request) error {
			about(s.URL == badURL)
			return nil
		}},
		"Sign": {Sign: func(m dispatcher.Message) (http.Header, error) {
			about(m.SubscriptionID == badID)
			return nil, nil
		}},
		"Authenticate": {Authenticate: func(_ context.Context, s store.Subscription, _ http.Header) (
			http.Header, error,
		) {
			about(s.URL == badURL)
			return nil, nil
		}},
		"Policy": {Policy: func(s store.Subscription) dispatcher.Policy {
			about(s.URL == badURL)
			return dispatcher.Policy{}
		}},
		"Policy's Success": {Policy: func(s store.Subscription) dispatcher.Policy {
			return dispatcher.Policy{Success: func(status int) bool {
				about(s.URL == badURL)
				return status == 200
			}}
		}},
		"Tracer": {Tracer: &dispatcher.Tracer{
			Attempt: func(ctx context.Context, i dispatcher.Info) (context.Context, string,
				func(dispatcher.Info)) {
				about(i.Subscription.URL == badURL)
				return ctx, "", nil
			},
		}},
		"Tracer's end": {Tracer: &dispatcher.Tracer{
			Attempt: func(ctx context.Context, _ dispatcher.Info) (context.Context, string,
				func(dispatcher.Info)) {
				return ctx, "", func(i dispatcher.Info) { about(i.Subscription.URL == badURL) }
			},
		}},
		"Transport": {Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			about(r.URL.String() == badURL)
			return next.RoundTrip(r)
		})},
	}
}

// newBadAndGood returns a Dispatcher that runs, with a bad endpoint and a good one.
func newBadAndGood(t *testing.T, s store.Store, o *dispatcher.Options, to *endpoints) *engine {
	t.Helper()
	e := &engine{t: t, store: s, endpoints: to}
	e.restart(o)
	e.answers(func(r request) reply {
		if r.URL == badURL {
			return reply{Status: http.StatusTeapot}
		}
		return reply{Status: 200}
	})
	if _, err := e.Subscribe(t.Context(), store.Subscription{ID: badID, URL: badURL}); err != nil {
		t.Fatal(err)
	}
	e.subscribe(goodURL)
	e.run()
	return e
}

// wantGoodServed wants the good endpoint to have had everything, and a new event to come at once.
func (e *engine) wantGoodServed(n int) {
	e.t.Helper()
	if got := len(e.seen(goodURL)); got != n {
		e.t.Errorf("the other endpoint got %d events, want %d", got, n)
	}
	e.publish("order.created", "fresh")
	settle()
	if got := len(e.seen(goodURL)); got != n+1 {
		e.t.Errorf("the other endpoint did not get a new event at once")
	}
}

// TestFaultCallback has each function of the host's that an attempt calls panic, or block for ever,
// for one endpoint: the others' deliveries go on, however long that lasts.
func TestFaultCallback(t *testing.T) {
	n, later := 100, 30
	if testing.Short() {
		n, later = 20, 10
	}
	for name := range callbacks(nil, nil) {
		for _, how := range []string{"panics", "blocks"} {
			t.Run(name+" "+how, func(t *testing.T) {
				onEachStore(t, func(t *testing.T, s store.Store) {
					to, unblock := &endpoints{}, make(chan struct{})
					e := newBadAndGood(t, s, callbacks(to, func() {
						if how == "panics" {
							panic("the host's function panics")
						}
						<-unblock
					})[name], to)
					for i := range n {
						e.publish("order.created", i)
					}
					for i := range later {
						pass(time.Minute)
						e.publish("order.created", n+i)
					}
					settle()
					e.wantGoodServed(n + later)
					if got := len(e.seen(badURL)); got > 24*n {
						t.Errorf("%d requests to the endpoint in whose matters the host fails: a busy loop", got)
					}
					close(unblock)
					e.stop()
				})
			})
		}
	}
}

// TestFaultCallbackNonsense has the host's functions return what makes no sense for one endpoint.
func TestFaultCallbackNonsense(t *testing.T) {
	policy := func(p dispatcher.Policy) *dispatcher.Options {
		return &dispatcher.Options{Policy: func(s store.Subscription) dispatcher.Policy {
			if s.URL == badURL {
				return p
			}
			return dispatcher.Policy{}
		}}
	}
	answers := func(res *http.Response) func(*endpoints) *dispatcher.Options {
		return func(to *endpoints) *dispatcher.Options {
			return &dispatcher.Options{Transport: transportFunc(
				func(r *http.Request) (*http.Response, error) {
					if r.URL.String() == badURL {
						return res, nil
					}
					return to.RoundTrip(r)
				})}
		}
	}
	always := func(o *dispatcher.Options) func(*endpoints) *dispatcher.Options {
		return func(to *endpoints) *dispatcher.Options { o.Transport = to; return o }
	}
	huge := strings.Repeat("x", 1<<20)
	for name, options := range map[string]func(*endpoints) *dispatcher.Options{
		"no response and no error":    answers(nil),
		"a response without anything": answers(&http.Response{}),
		"a status that is none":       answers(&http.Response{StatusCode: -1 << 31}),
		"a rate that is no number":    always(policy(dispatcher.Policy{Rate: math.NaN()})),
		"a rate of minus infinity":    always(policy(dispatcher.Policy{Rate: math.Inf(-1)})),
		"a burst that is none":        always(policy(dispatcher.Policy{Rate: 1, Burst: math.MinInt})),
		"next to no rate": always(policy(dispatcher.Policy{
			Rate: math.SmallestNonzeroFloat64})),
		"the highest rate and burst": always(policy(dispatcher.Policy{
			Rate: math.MaxFloat64, Burst: math.MaxInt})),
		"a timeout of years":          always(policy(dispatcher.Policy{Timeout: math.MaxInt64})),
		"a method that is none":       always(policy(dispatcher.Policy{Method: "PO ST"})),
		"a content type that is none": always(policy(dispatcher.Policy{ContentType: "\r\nX: y"})),
		"attempts without end":        always(policy(dispatcher.Policy{PerSubscription: math.MaxInt})),
		"a header of a megabyte": always(
			&dispatcher.Options{Sign: func(m dispatcher.Message) (http.Header, error) {
				if m.SubscriptionID == badID {
					return http.Header{"X-Huge": {huge}}, nil
				}
				return nil, nil
			}}),
		"no subscription, event or request left": always(&dispatcher.Options{
			Transform: func(_ context.Context, s store.Subscription, ev events.Event,
				r *dispatcher.Request) error {
				if s.URL == badURL {
					clear(ev.Payload)
					clear(r.Body)
					clear(s.Headers)
					*r = dispatcher.Request{}
				}
				return nil
			},
		}),
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				const n = 20
				to := &endpoints{}
				e := newBadAndGood(t, s, options(to), to)
				evs := make(map[string]string)
				for i := range n {
					ev := e.publish("order.created", i)
					body, _ := ev.Body()
					evs[ev.ID] = string(body)
				}
				pass(time.Hour)
				for _, r := range e.seen(goodURL) {
					if r.Body != evs[r.EventID] || r.Header.Get("X-Huge") != "" {
						t.Errorf("the other endpoint got %q for event %s, want %q", r.Body, r.EventID, evs[r.EventID])
					}
				}
				e.wantGoodServed(n)
				if got := len(e.seen(badURL)); got > 12*n {
					t.Errorf("%d requests to the endpoint in whose matters the host fails: a busy loop", got)
				}
			})
		})
	}
}
