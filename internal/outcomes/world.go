package outcomes

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// world is a dispatcher with endpoints. Endpoints answer 200 at once unless answer says something
// else.
type world struct {
	t     *testing.T
	store store.Store
	Form
	*dispatcher.Dispatcher
	stop func()

	mu        sync.Mutex
	answer    func(*request) reply
	requests  int
	statuses  map[int]int
	published map[string]time.Time // by event
	taken     []taken
}

// request is what an endpoint sees.
type request struct {
	host, eventID, eventType string
}

// reply is what an endpoint does.
type reply struct {
	status     int
	retryAfter string
	after      time.Duration
	err        error
}

// taken is a request that was answered with success.
type taken struct {
	request
	at    time.Time // when it arrived
	delay time.Duration
}

func newWorld(t *testing.T, s store.Store, f Form) *world {
	return &world{
		t: t, store: s, Form: f,
		statuses: make(map[int]int), published: make(map[string]time.Time),
	}
}

// size returns what the whole scenario has, or less for the short form.
func size[T any](w *world, whole, short T) T {
	if w.Short {
		return short
	}
	return whole
}

// run makes the dispatcher and starts it.
func (w *world) run(o dispatcher.Options) {
	o.Transport, o.Logger = w, slog.New(slog.DiscardHandler)
	o.Quota = func(string) dispatcher.Quota {
		return dispatcher.Quota{Subscriptions: dispatcher.Unlimited}
	}
	d, err := dispatcher.New(w.store, &o)
	w.check(err)
	w.Dispatcher = d
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	w.stop = func() {
		cancel()
		w.check(<-done)
	}
}

func (w *world) close() {
	w.stop()
	if c, ok := w.store.(io.Closer); ok {
		w.check(c.Close())
	}
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	if !w.RealTime {
		synctest.Wait()
	}
}

// patience is how long a scenario in real time waits for something that takes moments.
const patience = 2 * time.Minute

// until lets d go by, in which ok must have come true. In real time it waits for ok, for longer if
// need be, as the machine may have other things to do.
func (w *world) until(d time.Duration, ok func() bool) {
	if !w.RealTime {
		w.pass(d)
		return
	}
	for start := time.Now(); !ok() && time.Since(start) < patience; {
		w.pass(10 * time.Millisecond)
	}
}

// slack is added to the bound of a time, in its unit. It is zero, but in the short form in real
// time, which runs in continuous integration, on machines that do other things too: there a time is
// only to show that nothing waits for what takes many seconds.
func (w *world) slack(unit time.Duration) float64 {
	if w.Short && w.RealTime {
		return float64(5 * time.Second / unit)
	}
	return 0
}

// RoundTrip is the endpoints.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	req := request{host: r.URL.Host, eventID: r.Header.Get("webhook-id"), eventType: typeOf(body)}
	at := time.Now()
	w.mu.Lock()
	w.requests++
	a := reply{status: http.StatusOK}
	if w.answer != nil {
		a = w.answer(&req)
	}
	w.mu.Unlock()
	if a.after > 0 {
		timer := time.NewTimer(a.after)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statuses[a.status]++
	if a.status == http.StatusOK {
		w.taken = append(w.taken, taken{req, at, at.Sub(w.published[req.eventID])})
	}
	h := http.Header{}
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	return &http.Response{StatusCode: a.status, Header: h, Body: http.NoBody, Request: r}, nil
}

// answers replaces what the endpoints do. answer runs under the lock of the world.
func (w *world) answers(answer func(*request) reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// subscribe makes a webhook of a tenant, for all types.
func (w *world) subscribe(tenant, host string) store.Subscription {
	w.t.Helper()
	return w.subscribeTo(tenant, host)
}

// subscribeTo makes a webhook of a tenant, for some types.
func (w *world) subscribeTo(tenant, host string, types ...string) store.Subscription {
	w.t.Helper()
	sub, err := w.Subscribe(context.Background(), store.Subscription{
		Tenant: tenant, URL: "https://" + host + "/hook", Events: types,
	})
	w.check(err)
	return sub
}

// publish publishes n events of a type in one call.
func (w *world) publish(tenant, eventType string, n int) {
	w.t.Helper()
	evs := make([]events.Event, n)
	for i := range evs {
		e, err := events.New(eventType, i)
		w.check(err)
		e.Tenant = tenant
		evs[i] = e
	}
	w.mu.Lock()
	for i := range evs {
		w.published[evs[i].ID] = time.Now()
	}
	w.mu.Unlock()
	w.check(w.Publish(context.Background(), evs...))
}

// takenBy returns the requests that were answered with success, by host and event type; "" is any.
func (w *world) takenBy(host, eventType string) (out []taken) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.taken {
		k := &w.taken[i]
		if (host == "" || k.host == host) && (eventType == "" || k.eventType == eventType) {
			out = append(out, *k)
		}
	}
	return out
}

// states counts the deliveries of all subscriptions by state.
func (w *world) states() map[store.State]int {
	w.t.Helper()
	n := make(map[store.State]int)
	q := store.DeliveryQuery{AnyTenant: true, Limit: 1000}
	for {
		page, err := w.Deliveries(context.Background(), q)
		w.check(err)
		for i := range page.Items {
			n[page.Items[i].State]++
		}
		if page.Next == "" {
			return n
		}
		q.Cursor = page.Next
	}
}

// pending counts the deliveries that are pending.
func (w *world) pending() int {
	w.t.Helper()
	s, err := w.Stats(context.Background())
	w.check(err)
	return s.Pending
}

// disabled counts the subscriptions that are not subscribed any more.
func (w *world) disabled(subs ...store.Subscription) (n int) {
	w.t.Helper()
	for i := range subs {
		sub, err := w.Subscription(context.Background(), subs[i].ID)
		w.check(err)
		if sub.Status != store.Subscribed {
			n++
		}
	}
	return n
}

// quantile returns the delay that a share of the taken have at most, in seconds.
func quantile(all []taken, share float64) float64 {
	if len(all) == 0 {
		return 0
	}
	delays := make([]time.Duration, len(all))
	for i := range all {
		delays[i] = all[i].delay
	}
	slices.Sort(delays)
	return delays[min(int(share*float64(len(delays))), len(delays)-1)].Seconds()
}

// typeOf reads the type of an event from its wire body.
func typeOf(body []byte) string {
	var e struct{ Type string }
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	return e.Type
}
