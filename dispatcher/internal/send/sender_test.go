package send_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

const canary = "c4n4ry"

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newSender returns a Sender with a transport of the test's, or of its own if that is nil.
func newSender(t *testing.T, tr http.RoundTripper, hooks send.Hooks) *send.Sender {
	t.Helper()
	s := send.New(newOptions(tr, hooks))
	t.Cleanup(s.CloseIdleConnections)
	return s
}

func newOptions(tr http.RoundTripper, hooks send.Hooks) send.Options {
	return send.Options{
		Transport:   tr,
		Guard:       &netguard.Policy{Allow: nettest.Loopback()},
		Concurrency: 4,
		Timeout:     nettest.Patience,
		UserAgent:   "test/1",
		Hooks:       hooks,
		Logger:      slog.New(slog.DiscardHandler),
	}
}

// policy is the usual one.
var policy = &send.Policy{
	Timeout:     nettest.Patience,
	Method:      http.MethodPost,
	ContentType: "application/json",
	Success:     func(status int) bool { return status == 200 },
}

// newClaim returns a claim with an event's body.
func newClaim(url string) *store.Claim {
	return &store.Claim{
		Lease:        store.Lease{SubscriptionID: "3e639566-29fa-450d-a59f-ae3c25d7260f", EventID: "e1"},
		Subscription: &store.Subscription{URL: url, Headers: map[string]string{"X-Own": "theirs"}},
		EventType:    "order.created",
		Body:         []byte(`{"type":"order.created","timestamp":1603661094560,"payload":{"n":1}}`),
		Attempt:      1,
	}
}

// recorder answers each request with a status and keeps the bodies.
type recorder struct {
	status int
	header http.Header
	bodies []string
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(req.Body)
	r.bodies, r.header = append(r.bodies, string(b)), req.Header
	return &http.Response{StatusCode: r.status, Body: http.NoBody}, err
}

// What the first attempt has sent is what every later one sends, even if the hook returns something
// else then.
func TestBodyOfTheFirstAttemptStays(t *testing.T) {
	n := 0
	rec := &recorder{status: 500}
	s := newSender(t, rec, send.Hooks{
		Transform: func(_ context.Context, _ store.Subscription, e events.Event, h *http.Header,
			body *[]byte) error {
			n++
			h.Set("X-Call", strings.Repeat("i", n))
			*body = []byte(strings.Repeat("body", n))
			if string(e.Payload) != `{"n":1}` {
				t.Errorf("call %d: payload %s, want the event's own", n, e.Payload)
			}
			return nil
		},
	})
	c := newClaim("https://endpoint.example/")
	for attempt := range 3 {
		c.Attempt = attempt + 1
		r := s.Send(t.Context(), c, policy, "")
		if r.Attempt.Status != 500 || r.Attempt.Error != "http_status: 500 Internal Server Error" {
			t.Errorf("attempt %d: %+v", c.Attempt, r.Attempt)
		}
		if (r.Mark.State == store.BodyOverridden) != (attempt == 0) {
			t.Errorf("attempt %d: body state %d; want an override after the first alone", c.Attempt,
				r.Mark.State)
		}
		if r.Mark.State != store.BodyUndecided {
			c.BodyState, c.BodyOverride = r.Mark.State, r.Mark.Override // as the store does
		}
		if got := rec.bodies[attempt]; got != "body" {
			t.Errorf("attempt %d: sent %q, want what the first one sent", c.Attempt, got)
		}
		if got := rec.header.Get("X-Call"); len(got) != attempt+1 || rec.header.Get("X-Own") != "theirs" {
			t.Errorf("attempt %d: headers %v, want those of this call", c.Attempt, rec.header)
		}
	}
}

// A hook that panics or fails costs its attempt, and nothing of what it said is in the result.
func TestHooksThatFail(t *testing.T) {
	type hook struct {
		name string
		send.Hooks
		want string
	}
	const transformFailed, signFailed = "sender: its Transform failed", "sender: its Sign failed"
	sign := func(f func() (http.Header, error)) send.Hooks {
		return send.Hooks{Sign: func(string, string, time.Time, []byte, []signing.Secret) (http.Header,
			error) {
			return f()
		}}
	}
	transform := func(f func(h *http.Header) error) send.Hooks {
		return send.Hooks{Transform: func(_ context.Context, _ store.Subscription, _ events.Event,
			h *http.Header, _ *[]byte) error {
			return f(h)
		}}
	}
	for _, tt := range []hook{
		{"Transform panics", transform(func(*http.Header) error { panic(canary) }), transformFailed},
		{"Transform fails", transform(func(*http.Header) error {
			return errors.New(canary)
		}), transformFailed},
		{"Transform sets a reserved header", transform(func(h *http.Header) error {
			h.Set("webhook-id", canary)
			return nil
		}), transformFailed},
		{"Transform splits a header", transform(func(h *http.Header) error {
			h.Set("X", canary+"\r\nY: z")
			return nil
		}), transformFailed},
		{"Sign panics", sign(func() (http.Header, error) { panic(canary) }), signFailed},
		{"Sign fails", sign(func() (http.Header, error) { return nil, errors.New(canary) }), signFailed},
		{"Sign sets a reserved header", sign(func() (http.Header, error) {
			return http.Header{"host": {canary}}, nil
		}), signFailed},
	} {
		rec := &recorder{status: 200}
		r := newSender(t, rec, tt.Hooks).Send(t.Context(), newClaim("https://endpoint.example/"),
			policy, "")
		if r.Attempt.Error != tt.want || r.Kind != send.KindOurs || len(rec.bodies) != 0 {
			t.Errorf("%s: error %q and %d requests, want %q and none", tt.name, r.Attempt.Error,
				len(rec.bodies), tt.want)
		}
	}
}

// Filter is asked once: before the first attempt, and again only if it did not answer.
func TestFilter(t *testing.T) {
	asked, panics, wants := 0, false, true
	rec := &recorder{status: 500}
	s := newSender(t, rec, send.Hooks{Filter: func(_ store.Subscription, e events.Event) bool {
		asked++
		if panics {
			panic(canary)
		}
		return wants && string(e.Payload) == `{"n":1}`
	}})
	c := newClaim("https://endpoint.example/")
	check := func(step string, wantAsked int, want, wantFailed bool) (failed *send.Result) {
		t.Helper()
		wanted, failed := s.Filter(c)
		if asked != wantAsked || (failed != nil) != wantFailed || failed == nil && wanted != want {
			t.Errorf("%s: asked %d times, wanted %v, failed %v; want %d, %v, %v", step, asked, wanted,
				failed != nil, wantAsked, want, wantFailed)
		}
		return failed
	}
	check("wanted", 1, true, false)
	wants = false
	check("not wanted", 2, false, false)
	panics = true
	failed := check("it panics", 3, false, true)
	if failed == nil || failed.Kind != send.KindOurs ||
		failed.Attempt.Error != "sender: its Filter failed" {
		t.Fatalf("got %+v, want a failed attempt", failed)
	}
	c.BodyState, c.Attempt, panics, wants = failed.Mark.State, 2, false, true
	check("the next attempt", 4, true, false)
	decided := s.Send(t.Context(), c, policy, "").Mark
	if decided.State != store.BodyUnchanged || decided.Override != nil {
		t.Errorf("the first attempt that sends decides %+v, want the body unchanged", decided)
	}
	c.BodyState = decided.State
	c.Attempt = 3
	check("after an attempt", 4, true, false)
	if got, want := rec.bodies[0], string(newClaim("").Body); got != want {
		t.Errorf("sent %q, want the event's own body %q", got, want)
	}
}

// An attempt ends at its deadline, or when the context above it ends, and says which.
func TestSendEnds(t *testing.T) {
	hang := transportFunc(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, errors.New(canary)
	})
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, hang, send.Hooks{})
		start := time.Now()
		r := s.Send(t.Context(), newClaim("https://endpoint.example/"), policy, "")
		if r.Attempt.Error != "timeout: no answer in time" || time.Since(start) != nettest.Patience ||
			r.Attempt.Duration != nettest.Patience {
			t.Errorf("%+v after %v, want a timeout after %v", r.Attempt, time.Since(start), nettest.Patience)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		r = s.Send(ctx, newClaim("https://endpoint.example/"), policy, "")
		if r.Attempt.Error != "canceled: cut off, as the sender was stopping" ||
			r.Attempt.Duration != time.Second {
			t.Errorf("%+v, want it cut off after a second", r.Attempt)
		}
	})
}

func TestRetryAfterHeader(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		status int
		value  string
		want   time.Duration
		is     bool // a throttled answer
	}{
		{429, "1", time.Second, true},
		{503, " 120 ", 2 * time.Minute, true},
		{429, "", 0, true},
		{503, "", 0, false},
		{429, "-1", 0, true},
		{429, "1.5", 0, true},
		{429, "soon", 0, true},
		{503, "soon", 0, false},
		{503, "0", 0, true},
		{429, "86401", day, true},
		{429, "99999999999999999999999", day, true},
		{503, "Mon, 02 Jan 2006 15:04:05 GMT", 0, true},
		{429, "Fri, 31 Dec 9999 23:59:59 GMT", day, true},
		{500, "60", 0, false},
		{404, "60", 0, false},
	} {
		tr := transportFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: tt.status, Header: http.Header{"Retry-After": {tt.value}}}, nil
		})
		r := newSender(t, tr, send.Hooks{}).Send(t.Context(), newClaim("https://endpoint.example/"),
			policy, "")
		if r.RetryAfter != tt.want || (r.Kind == send.KindThrottled) != tt.is {
			t.Errorf("%d with %q: %v, kind %d; want %v, throttled %v",
				tt.status, tt.value, r.RetryAfter, r.Kind, tt.want, tt.is)
		}
	}
}

// A stored body that no version has written ends the attempt of a hook that wants the event, and so
// does a mark, and never the process. What is sent once is sent again, even if Transform returns
// something else later.
func FuzzStoredBody(f *testing.F) {
	for _, b := range []string{"", "{}", "{", `{"type":"a.b","payload":{"n":1}}`} {
		f.Add([]byte(b), []byte("changed"), []byte{}, uint8(store.BodyUndecided))
		f.Add([]byte(b), []byte{}, []byte("\x01\x0c{\"own\":true}stored"), uint8(store.BodyOverridden))
		f.Add([]byte(b), []byte(b), []byte("\x01\x02{}"), uint8(store.BodyOverridden))
		f.Add([]byte(b), []byte(b), []byte{}, uint8(store.BodyUnsent))
	}
	f.Fuzz(func(t *testing.T, event, changed, override []byte, state uint8) {
		rec := &recorder{status: 500}
		made := changed
		s := newSender(t, rec, send.Hooks{
			Filter: func(store.Subscription, events.Event) bool { return true },
			Transform: func(_ context.Context, _ store.Subscription, _ events.Event, _ *http.Header,
				body *[]byte) error {
				*body = made
				return nil
			},
		})
		c := newClaim("https://endpoint.example/")
		c.Body, c.BodyState, c.BodyOverride = event, store.BodyState(state), override
		s.Filter(c)
		r := s.Send(t.Context(), c, policy, "")
		if len(rec.bodies) == 0 {
			if r.Kind != send.KindOurs {
				t.Errorf("%q: %+v", event, r.Attempt)
			}
			return
		}
		if r.Mark.State != store.BodyUndecided {
			c.BodyState, c.BodyOverride = r.Mark.State, r.Mark.Override
		}
		c.Attempt++
		made = []byte("changed again")
		s.Send(t.Context(), c, policy, "")
		if rec.bodies[0] != rec.bodies[1] {
			t.Errorf("%q: sent %q, then %q", event, rec.bodies[0], rec.bodies[1])
		}
	})
}
