package dispatcher_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

const (
	ownURL   = "https://own.example/hook"   // has a policy of its own in these tests
	usualURL = "https://usual.example/hook" // has that of the options
)

// policyOfOwn returns an Options.Policy for ownURL alone.
func policyOfOwn(p dispatcher.Policy) func(store.Subscription) dispatcher.Policy {
	return func(sub store.Subscription) dispatcher.Policy {
		if sub.URL == ownURL {
			return p
		}
		return dispatcher.Policy{}
	}
}

func TestPolicySaysHowRequestsAreMade(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var methods sync.Map
		e := newEngine(t, s, nil)
		e.status(http.StatusTeapot)
		e.restart(&dispatcher.Options{
			Backoff: noJitter,
			Policy: policyOfOwn(dispatcher.Policy{
				Method: http.MethodPatch, ContentType: "text/plain; charset=utf-8",
				Success: func(status int) bool { return status == http.StatusTeapot },
				Final:   func(status int) bool { return status == http.StatusConflict },
			}),
			Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				methods.Store(r.URL.String(), r.Method+" "+r.Header.Get("Content-Type"))
				return e.endpoints.RoundTrip(r)
			}),
		})
		own, usual := e.subscribe(ownURL), e.subscribe(usualURL)
		e.run()
		e.publish("order.created", 1)
		settle()
		for url, want := range map[string]string{
			ownURL: "PATCH text/plain; charset=utf-8", usualURL: "POST application/json",
		} {
			if got, _ := methods.Load(url); got != want {
				t.Errorf("%s got %v, want %s", url, got, want)
			}
		}
		e.status(http.StatusConflict)
		e.publish("order.created", 2)
		settle()
		wantStates(t, e, own.ID, store.Dead, store.Delivered)
		wantStates(t, e, usual.ID, store.Pending, store.Pending)
		// A ping is made by the same policy.
		e.status(http.StatusTeapot)
		for id, ok := range map[string]bool{own.ID: true, usual.ID: false} {
			a, err := e.Ping(t.Context(), id)
			if err != nil || (a.Error == "") != ok {
				t.Errorf("the ping has come to %+v, %v; want a success: %v", a, err, ok)
			}
		}
	})
}

// wantStates wants the deliveries of a subscription, newest first, to be in these states.
func wantStates(t *testing.T, e *engine, id string, want ...store.State) {
	t.Helper()
	page, err := e.Deliveries(t.Context(), store.DeliveryQuery{AnyTenant: true, SubscriptionID: id})
	if err != nil {
		t.Fatal(err)
	}
	var got []store.State
	for _, d := range page.Items {
		got = append(got, d.State)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the deliveries are %v, want %v", got, want)
	}
}

// The lease covers the longest timeout that a policy may give: an attempt that takes as long is not
// made twice.
func TestPolicyTimeoutIsWithinTheLease(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{
			Timeout: 10 * time.Second, MaxTimeout: 10 * time.Minute,
			Policy: policyOfOwn(dispatcher.Policy{Timeout: 10 * time.Minute}),
		})
		e.answers(func(request) reply { return reply{Status: 200, Delay: 9 * time.Minute} })
		own, usual := e.subscribe(ownURL), e.subscribe(usualURL)
		e.run()
		e.publish("order.created", 1)
		pass(5 * time.Second)
		wantStates(t, e, usual.ID, store.Pending)
		pass(9 * time.Minute)
		wantStates(t, e, own.ID, store.Delivered)
		if n := len(e.seen(ownURL)); n != 1 {
			t.Errorf("%d requests, want the one that was answered within its timeout", n)
		}
		for _, d := range e.deliveries() {
			if d.SubscriptionID == usual.ID && d.LastError != "timeout: no answer in time" {
				t.Errorf("the usual one is %s with %q, want a timeout", d.State, d.LastError)
			}
		}
	})
}

func TestLeaseOfClaims(t *testing.T) {
	for _, tt := range []struct {
		o    dispatcher.Options
		want time.Duration
	}{
		{dispatcher.Options{}, 30 * time.Second},
		{dispatcher.Options{Timeout: time.Minute}, 75 * time.Second},
		{dispatcher.Options{MaxTimeout: time.Minute}, 75 * time.Second},
		{dispatcher.Options{OwnerMay: dispatcher.OwnerBounds{Timeout: time.Second}}, 30 * time.Second},
		{dispatcher.Options{OwnerMay: dispatcher.OwnerBounds{Timeout: time.Minute}}, 75 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &claimRequests{Store: memstore.New()}
			e := newEngine(t, s, &tt.o)
			e.run()
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.last.Lease != tt.want {
				t.Errorf("a lease lasts %v, want %v", s.last.Lease, tt.want)
			}
		})
	}
}

// A policy has a schedule and a number of attempts, and a delivery goes on by them after a restart
// at any time.
func TestPolicyBackoffOutlastsRestarts(t *testing.T) {
	o := &dispatcher.Options{
		Backoff: dispatcher.Backoff{Initial: time.Hour, Jitter: -1, MaxAttempts: 20},
		Policy: policyOfOwn(dispatcher.Policy{Backoff: dispatcher.Backoff{
			Initial: time.Minute, Max: 5 * time.Minute, Multiplier: 2, MaxAttempts: 5,
		}}),
	}
	want := []time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute, 12 * time.Minute}
	onEachStore(t, func(t *testing.T, s store.Store) {
		for _, restarts := range []bool{false, true} {
			e := newEngine(t, s, o)
			e.status(http.StatusUnprocessableEntity)
			sub := e.subscribe(ownURL)
			start := time.Now()
			ev := e.publish("order.created", 1)
			e.run()
			for range 40 {
				pass(30 * time.Second)
				if restarts {
					e.stop()
					e.restart(o)
					e.run()
				}
			}
			var got []time.Duration
			for _, r := range e.seen(ownURL) {
				got = append(got, r.At.Sub(start).Round(time.Minute))
			}
			if !slices.Equal(got, want) {
				t.Errorf("restarts %v: attempts after %v, want %v", restarts, got, want)
			}
			e.wantState(ev, store.Dead)
			e.stop()
			if err := e.Delete(t.Context(), sub.ID); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A policy may let fewer or more attempts of a subscription run at once. The store is told, so that
// it does not give out what could not start.
func TestPolicyPerSubscription(t *testing.T) {
	for _, at := range []int{1, 3, 12} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			onEachStore(t, func(t *testing.T, inner store.Store) {
				const n = 200
				s := &releases{Store: inner}
				e := newEngine(t, s, &dispatcher.Options{
					PerSubscription: 4,
					Policy:          policyOfOwn(dispatcher.Policy{PerSubscription: at}),
				})
				e.answers(func(request) reply { return reply{Status: 200, Delay: time.Second} })
				own, usual := e.subscribe(ownURL), e.subscribe(usualURL)
				e.run()
				var evs []events.Event
				for i := range n {
					evs = append(evs, e.publish("order.created", i))
				}
				pass(time.Duration(n) * time.Second * 2)
				if got := e.mostInFlight(ownURL); got != at {
					t.Errorf("%d attempts at once, want %d", got, at)
				}
				if got := e.mostInFlight(usualURL); got != 4 {
					t.Errorf("%d attempts of another at once, want 4", got)
				}
				for _, sub := range []store.Subscription{own, usual} {
					var order []string
					for _, r := range e.seen(sub.URL) {
						order = append(order, r.EventID)
					}
					if len(order) != n {
						t.Errorf("%s got %d events, want %d", sub.URL, len(order), n)
					}
					if at == 1 && sub.URL == ownURL && !slices.Equal(order, ids(evs)) {
						t.Error("one at a time, they did not come in their order")
					}
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				// What was claimed before the store knew, and no more at each claim.
				if s.n > 30 {
					t.Errorf("%d claims were given back, of %d deliveries; want a few", s.n, n)
				}
			})
		})
	}
}

// releases counts what is given back.
type releases struct {
	store.Store
	mu sync.Mutex
	n  int
}

func (s *releases) Release(ctx ctx, leases ...store.Lease) error {
	s.mu.Lock()
	s.n += len(leases)
	s.mu.Unlock()
	return s.Store.Release(ctx, leases...)
}

func ids(evs []events.Event) (out []string) {
	for _, ev := range evs {
		out = append(out, ev.ID)
	}
	return out
}

// The host is asked about a subscription once, again when it has changed, which holds at once, and
// again after a while, as it may know more than the subscription says.
func TestPolicyFollowsChanges(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var mu sync.Mutex
		calls, method := 0, http.MethodPost
		e := newEngine(t, s, nil)
		seen := make(map[string]string) // by event
		e.restart(&dispatcher.Options{
			Policy: func(sub store.Subscription) dispatcher.Policy {
				mu.Lock()
				defer mu.Unlock()
				calls++
				sub.Name = "changed by the host" // it is a copy
				if strings.HasSuffix(sub.URL, "?put") {
					return dispatcher.Policy{Method: http.MethodPut}
				}
				return dispatcher.Policy{Method: method}
			},
			Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				seen[r.Header.Get("Webhook-Id")] = r.Method
				mu.Unlock()
				return e.endpoints.RoundTrip(r)
			}),
		})
		sub := e.subscribe(ownURL)
		e.run()
		next := func(step, want string, asked int) {
			t.Helper()
			ev := e.publish("order.created", step)
			settle()
			mu.Lock()
			defer mu.Unlock()
			if seen[ev.ID] != want || calls != asked {
				t.Errorf("%s: %s after %d calls, want %s after %d", step, seen[ev.ID], calls, want, asked)
			}
		}
		next("first", "POST", 1)
		for range 20 {
			next("soon", "POST", 1)
		}
		e.change(sub.ID, func(s *store.Subscription) { s.URL = ownURL + "?put" })
		next("changed", "PUT", 2)
		e.change(sub.ID, func(s *store.Subscription) { s.URL = ownURL })
		next("changed back", "POST", 3)
		mu.Lock()
		method = http.MethodPatch
		mu.Unlock()
		pass(10 * time.Second)
		next("later", "PATCH", 4)
	})
}

// A policy that is out of its bounds lets no attempt start, and leaves the delivery and the health
// as they are; PolicyOf says what is wrong.
func TestPolicyOutOfBounds(t *testing.T) {
	for _, tt := range []struct {
		p     dispatcher.Policy
		names string
	}{
		{dispatcher.Policy{Timeout: 16 * time.Second},
			"Policy.Timeout is 16s; it must be positive, and at most Options.MaxTimeout, which is 15s"},
		{dispatcher.Policy{Timeout: -1}, "Policy.Timeout is -1ns"},
		{dispatcher.Policy{Rate: -1}, "Policy.Rate is -1"},
		{dispatcher.Policy{Rate: math.NaN()}, "Policy.Rate is NaN"},
		{dispatcher.Policy{Rate: math.Inf(-1)}, "Policy.Rate is -Inf"},
		{dispatcher.Policy{Burst: -1}, "Policy.Burst is -1"},
		{dispatcher.Policy{PerSubscription: 257}, "Policy.PerSubscription is 257"},
		{dispatcher.Policy{PerSubscription: -1}, "Policy.PerSubscription is -1"},
		{dispatcher.Policy{Method: "GET"}, `Policy.Method is "GET"; it must be POST, PUT or PATCH`},
		{dispatcher.Policy{Method: "put"}, `Policy.Method is "put"`},
		{dispatcher.Policy{ContentType: "json"}, `Policy.ContentType is "json"`},
		{dispatcher.Policy{ContentType: "a b"}, `Policy.ContentType is "a b"`},
		{dispatcher.Policy{ContentType: "a/b\r\nX: y"}, `Policy.ContentType is "a/b\r\nX: y"`},
		{dispatcher.Policy{Backoff: dispatcher.Backoff{MaxAttempts: -1}},
			"Policy.Backoff.MaxAttempts is -1"},
		{dispatcher.Policy{Backoff: dispatcher.Backoff{Initial: -1}}, "Policy.Backoff.Initial is -1ns"},
		{dispatcher.Policy{Rate: math.Inf(1), Burst: 3, PerSubscription: 256, Timeout: time.Second}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := newEngine(t, memstore.New(), &dispatcher.Options{Policy: policyOfOwn(tt.p)})
			sub := e.subscribe(ownURL)
			_, err := e.PolicyOf(sub)
			if ok := err == nil; ok != (tt.names == "") || !ok && !strings.Contains(err.Error(), tt.names) {
				t.Errorf("%+v: got error %v, want one with %q", tt.p, err, tt.names)
			}
			e.run()
			ev := e.publish("order.created", 1)
			pass(time.Minute)
			want := 0
			if tt.names == "" {
				want = 1
			}
			if got := len(e.seen("")); got != want || e.delivery(ev).Attempts != want {
				t.Errorf("%+v: %d requests, want %d", tt.p, got, want)
			}
		})
	}
}

// PolicyOf returns what is in force, with the defaults.
func TestPolicyOf(t *testing.T) {
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Timeout: 20 * time.Second, MaxTimeout: time.Minute,
		Backoff:  dispatcher.Backoff{Initial: time.Second, MaxAttempts: 3},
		OwnerMay: dispatcher.OwnerBounds{Timeout: 40 * time.Second, Rate: 50},
		Policy: func(sub store.Subscription) dispatcher.Policy {
			switch sub.Name {
			case "own":
				return dispatcher.Policy{Timeout: 30 * time.Second, Rate: 10, Burst: 5,
					Backoff: dispatcher.Backoff{Max: time.Minute}}
			case "panics":
				panic("a bug")
			}
			return dispatcher.Policy{}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	usual := dispatcher.Policy{
		Timeout: 20 * time.Second, Rate: 0, Burst: 1, PerSubscription: 16,
		Method: "POST", ContentType: "application/json",
		Backoff: dispatcher.Backoff{Initial: time.Second, Max: 12 * time.Hour, Multiplier: 4,
			Jitter: 0.2, MaxAttempts: 3},
	}
	own := usual
	own.Timeout, own.Rate, own.Burst, own.Backoff.Max = 30*time.Second, 10, 5, time.Minute
	with := func(p dispatcher.Policy, timeout time.Duration, rate float64) dispatcher.Policy {
		p.Timeout, p.Rate = timeout, rate
		return p
	}
	for _, tt := range []struct {
		name string
		sub  store.Subscription
		want dispatcher.Policy
	}{
		{"the usual one", store.Subscription{}, usual},
		{"one of its own", store.Subscription{Name: "own"}, own},
		{"an owner's, where the host says nothing",
			store.Subscription{Timeout: 40 * time.Second, Rate: 0.5}, with(usual, 40*time.Second, 0.5)},
		{"an owner's that asks for less",
			store.Subscription{Name: "own", Timeout: time.Second, Rate: 2}, with(own, time.Second, 2)},
		{"an owner's that asks for more than the host says",
			store.Subscription{Name: "own", Timeout: 40 * time.Second, Rate: 50}, own},
		{"an owner's from when more was allowed",
			store.Subscription{Timeout: time.Hour, Rate: 1e6}, with(usual, 40*time.Second, 50)},
	} {
		got, err := d.PolicyOf(tt.sub)
		if err != nil || got.Success == nil || !got.Success(200) || got.Success(201) {
			t.Errorf("%s: got %+v, %v; want one whose success is a 200", tt.name, got, err)
			continue
		}
		got.Success = nil // a func can't be compared
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if _, err := d.PolicyOf(store.Subscription{Name: "panics"}); err == nil ||
		!strings.Contains(err.Error(), "Options.Policy panicked") {
		t.Errorf("got error %v, want one that says that Policy panicked", err)
	}
}

// Owners are bounded where they set something, by name; what they do not change stays.
func TestOwnerMay(t *testing.T) {
	s := memstore.New()
	d := func(may dispatcher.OwnerBounds) *dispatcher.Dispatcher {
		t.Helper()
		d, err := dispatcher.New(s, &dispatcher.Options{OwnerMay: may})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	may := dispatcher.OwnerBounds{Timeout: 30 * time.Second, Rate: 10}
	for _, tt := range []struct {
		may    dispatcher.OwnerBounds
		change func(*store.Subscription)
		field  string
		reason string
	}{
		{dispatcher.OwnerBounds{}, func(s *store.Subscription) { s.Timeout = time.Second },
			"timeout_seconds", "can't be set here; leave it out"},
		{dispatcher.OwnerBounds{}, func(s *store.Subscription) { s.Rate = 1 }, "rate",
			"can't be set here; leave it out"},
		{dispatcher.OwnerBounds{Rate: 1}, func(s *store.Subscription) { s.Timeout = time.Second },
			"timeout_seconds", "can't be set here; leave it out"},
		{may, func(s *store.Subscription) { s.Timeout = 31 * time.Second }, "timeout_seconds",
			"is 31; give 0.1 to 30"},
		{may, func(s *store.Subscription) { s.Timeout = time.Millisecond }, "timeout_seconds",
			"is 0.001; give 0.1 to 30"},
		{may, func(s *store.Subscription) { s.Rate = 11 }, "rate",
			"is 11; give 0.001 to 10 attempts a second"},
		{may, func(s *store.Subscription) { s.Rate = 1e-9 }, "rate",
			"is 1e-09; give 0.001 to 10 attempts a second"},
		{may, func(s *store.Subscription) { s.Rate, s.Timeout = 10, 30*time.Second }, "", ""},
		{may, func(s *store.Subscription) { s.Rate, s.Timeout = 0.001, 100*time.Millisecond }, "", ""},
	} {
		sub := store.Subscription{URL: ownURL}
		tt.change(&sub)
		made, err := d(tt.may).Subscribe(t.Context(), sub)
		var invalid *events.InvalidError
		if errors.As(err, &invalid) != (tt.field != "") ||
			tt.field != "" && (invalid.Field != tt.field || invalid.Reason != tt.reason) {
			t.Errorf("%+v: got error %v, want %s %s", sub, err, tt.field, tt.reason)
		}
		if err != nil {
			continue
		}
		// Under closer bounds it can still be renamed, and what it has be taken away.
		closer := d(dispatcher.OwnerBounds{})
		for _, change := range []func(*store.Subscription) error{
			func(s *store.Subscription) error { s.Name = "another"; return nil },
			func(s *store.Subscription) error { s.Rate, s.Timeout = 0, 0; return nil },
		} {
			if _, err := closer.Update(t.Context(), made.ID, change); err != nil {
				t.Errorf("%+v: got error %v from a change to nothing that is bounded", sub, err)
			}
		}
	}
}

// What an owner sets holds for the next attempts.
func TestOwnerSetsRateAndTimeout(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{
			OwnerMay: dispatcher.OwnerBounds{Timeout: time.Minute, Rate: 100},
		})
		e.answers(func(r request) reply { return reply{Status: 200, Delay: 40 * time.Second} })
		sub, err := e.Subscribe(t.Context(), store.Subscription{URL: ownURL, Timeout: 50 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		e.run()
		ev := e.publish("order.created", 1)
		pass(45 * time.Second)
		e.wantState(ev, store.Delivered)
		e.answers(nil)
		e.change(sub.ID, func(s *store.Subscription) { s.Rate = 0.5 })
		e.keepsHalfARate(t)
	})
}

func TestNothingIsAskedWithoutAPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &claimRequests{Store: memstore.New()}
		e := newEngine(t, s, nil)
		e.subscribe(usualURL)
		e.run()
		for i := range 100 {
			e.publish("order.created", i)
		}
		settle()
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.last.Pauses) != 0 {
			t.Errorf("the store is told of %v", s.last.Pauses)
		}
		p, err := e.PolicyOf(store.Subscription{})
		if err != nil || p.Timeout != dispatcher.DefaultTimeout ||
			p.PerSubscription != dispatcher.DefaultPerSubscription ||
			p.Backoff.MaxAttempts != dispatcher.DefaultMaxAttempts {
			t.Errorf("got %+v, %v; want the defaults", p, err)
		}
	})
}
