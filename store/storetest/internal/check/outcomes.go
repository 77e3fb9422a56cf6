package check

import (
	"time"

	"github.com/outhook/outhook/store"
)

// WithBody returns the outcome with a body override.
func WithBody(o store.Outcome, body string) store.Outcome {
	o.BodyState, o.BodyOverride = store.BodyOverridden, []byte(body)
	return o
}

// Canceled is the outcome of a claim that ends without an attempt. What it says besides the reason
// is not looked at.
func Canceled(cl store.Claim, why string) store.Outcome {
	return store.Outcome{
		Lease:     cl.Lease,
		State:     store.Canceled,
		RetryIn:   time.Second,
		Probe:     ProbeIn(time.Hour),
		BodyState: store.BodyOverridden, BodyOverride: []byte("none of this"),
		Attempt: Attempt(cl, 500, why),
	}
}

// Each claims n deliveries and finishes each.
func (c *Driver) Each(n int, finish func(store.Claim) store.Outcome) {
	claims := c.Claim(n)
	Equal(c, "claims", len(claims), n)
	for _, cl := range claims {
		c.Counts(finish(cl))
	}
}

// The outcomes of an attempt for a claim.

func Delivered(cl store.Claim) store.Outcome {
	return store.Outcome{Lease: cl.Lease, State: store.Delivered, Attempt: Attempt(cl, 200, "")}
}

func Dead(cl store.Claim) store.Outcome {
	return store.Outcome{Lease: cl.Lease, State: store.Dead, Attempt: Attempt(cl, 410, "gone")}
}

func Failed(cl store.Claim, retryIn time.Duration) store.Outcome {
	return store.Outcome{
		Lease:   cl.Lease,
		State:   store.Pending,
		RetryIn: retryIn,
		Attempt: Attempt(cl, 500, "http_status"),
	}
}

func Held(cl store.Claim, retryIn, holdFor time.Duration) store.Outcome {
	o := Failed(cl, retryIn)
	o.Probe = ProbeIn(holdFor)
	return o
}

func Attempt(cl store.Claim, status int, wrong string) store.Attempt {
	return store.Attempt{
		Number:   cl.Attempt,
		At:       time.Now(),
		Status:   status,
		Error:    wrong,
		Response: []byte("answer"),
		Detail:   Detail(cl),
	}
}

// Detail returns the detail of a claim's attempt.
func Detail(cl store.Claim) *store.AttemptDetail {
	return &store.AttemptDetail{
		Request:       []store.HeaderField{{Name: "Webhook-Id", Value: cl.EventID}},
		Answer:        []store.HeaderField{{Name: "Server", Value: "check"}, {Name: "X-Empty"}},
		AnswerCut:     true,
		RemoteAddress: "[2001:db8::1]:443",
		DNS:           time.Millisecond,
		Connect:       2 * time.Millisecond,
		TLS:           3 * time.Millisecond,
		FirstByte:     time.Duration(cl.Attempt) * time.Second,
	}
}

// Finish records outcomes.
func (c *Driver) Finish(outcomes ...store.Outcome) []store.Result {
	results, err := c.Store.Finish(c.Ctx(), outcomes...)
	c.Must("Finish", err)
	if len(results) != len(outcomes) {
		c.Fatalf("Finish of %d outcomes: got %d results", len(outcomes), len(results))
	}
	return results
}

// finishOne records an outcome that must count, or must be ignored.
func (c *Driver) Counts(o store.Outcome) store.Result {
	r := c.Finish(o)[0]
	if r.Ignored || r.Before == nil || r.After == nil {
		c.Fatalf("Finish (%s): got %+v, want it to count, and Before and After", o.State, r)
	}
	return r
}

func (c *Driver) Ignored(o store.Outcome) {
	if r := c.Finish(o)[0]; r != (store.Result{Ignored: true}) {
		c.Errorf("Finish (%s): got %+v, want only Ignored", o.State, r)
	}
}

// Release gives claims back.
func (c *Driver) Release(claims ...store.Claim) {
	leases := make([]store.Lease, len(claims))
	for i, cl := range claims {
		leases[i] = cl.Lease
	}
	c.Must("Release", c.Store.Release(c.Ctx(), leases...))
}

// ProbeIn is a policy by which each failure opens the breaker, for so long each time.
func ProbeIn(d time.Duration) store.ProbePolicy {
	return store.ProbePolicy{Threshold: 1, First: d, Max: d}
}
