package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// newSub returns a subscription that is not stored yet and wants events of the types.
func (c *check) newSub(types ...string) store.Subscription {
	n := c.count(&c.subs)
	return store.Subscription{
		ID:     fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", n),
		URL:    fmt.Sprintf("https://endpoint.example/%d", n),
		Events: types,
		Status: store.Subscribed,
	}
}

// count adds one to a number of c's and returns it. It may be called from any goroutine.
func (c *check) count(n *int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
	return *n
}

// subscribe stores a subscription that wants events of the types.
func (c *check) subscribe(types ...string) store.Subscription { return c.create(c.newSub(types...)) }

// create stores a subscription.
func (c *check) create(sub store.Subscription) store.Subscription {
	sub, err := c.store.CreateSubscription(c.ctx, sub)
	c.must("CreateSubscription", err)
	return sub
}

// update changes a stored subscription.
func (c *check) update(id string, change func(*store.Subscription)) store.Subscription {
	sub, err := c.store.UpdateSubscription(c.ctx, id, func(s *store.Subscription) error {
		change(s)
		return nil
	})
	c.must("UpdateSubscription", err)
	return sub
}

// unsubscribe and resubscribe change the status; a reason makes the subscription a disabled one.
func (c *check) unsubscribe(id, reason string) store.Subscription {
	return c.update(id, func(s *store.Subscription) { s.Status, s.DisabledReason = store.Unsubscribed, reason })
}

func (c *check) resubscribe(id string) store.Subscription {
	return c.update(id, func(s *store.Subscription) { s.Status, s.DisabledReason = store.Subscribed, "" })
}

// event returns an event of the type that happens now.
func (c *check) event(eventType string) events.Event {
	n := c.count(&c.events)
	return events.Event{
		ID:      fmt.Sprintf("event-%d", n),
		Type:    eventType,
		Time:    time.Now(),
		Payload: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)),
	}
}

// message returns n events of the type that most rules use.
func (c *check) messages(n int) []events.Event {
	evs := make([]events.Event, n)
	for i := range evs {
		evs[i] = c.event("message.created")
	}
	return evs
}

// enqueue stores events.
func (c *check) enqueue(evs ...events.Event) {
	c.must("Enqueue", c.store.Enqueue(c.ctx, evs...))
}

// publish enqueues n messages in one call and returns their IDs.
func (c *check) publish(n int) []string {
	evs := c.messages(n)
	c.enqueue(evs...)
	return eventIDs(evs)
}

func eventIDs(evs []events.Event) []string {
	ids := make([]string, len(evs))
	for i, ev := range evs {
		ids[i] = ev.ID
	}
	return ids
}

// claimWith claims by the request; its Lease is long when it is zero.
func (c *check) claimWith(req store.ClaimRequest) store.ClaimResult {
	if req.Lease == 0 {
		req.Lease = c.long
	}
	claims, err := c.store.Claim(c.ctx, req)
	c.must("Claim", err)
	return claims
}

// claim claims at most n deliveries, under no other limit.
func (c *check) claim(n int) []store.Claim { return c.claimWith(store.ClaimRequest{Max: n}).Claims }

// claimOne claims exactly one delivery; that there is no other is not checked.
func (c *check) claimOne() store.Claim {
	claims := c.claim(1)
	if len(claims) != 1 {
		c.fatalf("Claim of one: got %d claims, want 1", len(claims))
	}
	return claims[0]
}

// claimed returns the IDs of the claimed events.
func claimed(claims []store.Claim) []string {
	ids := make([]string, len(claims))
	for i, cl := range claims {
		ids[i] = cl.EventID
	}
	return ids
}

// perSubscription counts claims.
func perSubscription(claims []store.Claim) map[string]int {
	n := make(map[string]int)
	for _, cl := range claims {
		n[cl.SubscriptionID]++
	}
	return n
}

// sameIDs checks a list of event IDs, in order.
func (c *check) sameIDs(what string, got, want []string) {
	if g, w := strings.Join(got, " "), strings.Join(want, " "); g != w {
		c.errorf("%s: got [%s], want [%s]", what, g, w)
	}
}

// The outcomes of an attempt for a claim.

func delivered(cl store.Claim) store.Outcome {
	return store.Outcome{Lease: cl.Lease, State: store.Delivered, Attempt: attempt(cl, 200, "")}
}

func dead(cl store.Claim) store.Outcome {
	return store.Outcome{Lease: cl.Lease, State: store.Dead, Attempt: attempt(cl, 410, "gone")}
}

func failed(cl store.Claim, retryIn time.Duration) store.Outcome {
	return store.Outcome{
		Lease:   cl.Lease,
		State:   store.Pending,
		RetryIn: retryIn,
		Attempt: attempt(cl, 500, "http_status"),
	}
}

func held(cl store.Claim, retryIn, holdFor time.Duration) store.Outcome {
	o := failed(cl, retryIn)
	o.Probe = probeIn(holdFor)
	return o
}

// probeIn is a policy by which each failure opens the breaker, for so long each time.
func probeIn(d time.Duration) store.ProbePolicy {
	return store.ProbePolicy{Threshold: 1, First: d, Max: d}
}

func attempt(cl store.Claim, status int, wrong string) store.Attempt {
	return store.Attempt{
		Number:   cl.Attempt,
		At:       time.Now(),
		Status:   status,
		Error:    wrong,
		Response: []byte("answer"),
	}
}

// finish records outcomes.
func (c *check) finish(outcomes ...store.Outcome) []store.Result {
	results, err := c.store.Finish(c.ctx, outcomes...)
	c.must("Finish", err)
	if len(results) != len(outcomes) {
		c.fatalf("Finish of %d outcomes: got %d results", len(outcomes), len(results))
	}
	return results
}

// finishOne records an outcome that must count, or must be ignored.
func (c *check) counts(o store.Outcome) store.Result {
	r := c.finish(o)[0]
	if r.Ignored {
		c.errorf("Finish (%s): the outcome was ignored, want it to count", o.State)
	}
	return r
}

func (c *check) ignored(o store.Outcome) {
	if r := c.finish(o)[0]; r != (store.Result{Ignored: true}) {
		c.errorf("Finish (%s): got %+v, want only Ignored", o.State, r)
	}
}

// release gives claims back.
func (c *check) release(claims ...store.Claim) {
	leases := make([]store.Lease, len(claims))
	for i, cl := range claims {
		leases[i] = cl.Lease
	}
	c.must("Release", c.store.Release(c.ctx, leases...))
}
