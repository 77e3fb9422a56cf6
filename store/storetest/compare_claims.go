package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// claim claims from both with a random request.
func (tw *twins) claim() {
	tw.claimBy(store.ClaimRequest{
		Max:              one(tw, 0, 1, 2, 3, 5, 100),
		Lease:            tw.duration(),
		PerSubscription:  one(tw, 0, 0, 1, 2, 4, 8),
		MaxUnhealthy:     one(tw, 0, 0, 1, 3, 6),
		MaxFailing:       one(tw, 0, 0, 1, 2),
		BreakerThreshold: one(tw, 0, 0, 1, 2),
	})
}

func (tw *twins) claimBy(req store.ClaimRequest) {
	tw.stepAside()
	tw.edge(req.Lease)
	tw.note("claim %+v", req)
	room := tw.room(req)
	got := tw.ours.claimWith(req)
	all := tw.model.claimWith(store.ClaimRequest{Max: 1 << 30, Lease: req.Lease})
	room.check(tw.ours, got.Claims, all.Claims)
	if got.NextDue-tw.tolerance() > all.NextDue || got.NextDue <= 0 {
		tw.ours.errorf("Wait: got %v, want at most %v", got.NextDue, all.NextDue)
	}
	tw.follow(got.Claims, all.Claims)
}

// duration returns how long a lease or a delay is.
func (tw *twins) duration() time.Duration {
	if tw.realTime {
		return tw.ours.long
	}
	return one(tw, 20*time.Second, 5*time.Minute, 3*time.Hour, 30*time.Hour, store.MaxDuration)
}

// follow makes the model, which has claimed all, keep only what ours has claimed. Giving the rest back voids tokens
// whose lease has run out, which for ours are still good; a pair remembers that.
func (tw *twins) follow(ours, all []store.Claim) {
	for _, cl := range all {
		i := slices.IndexFunc(ours, func(o store.Claim) bool { return sameDelivery(o.Lease, cl.Lease) })
		if i >= 0 {
			tw.sameClaim(ours[i], cl)
			tw.claims = append(tw.claims, pair{ours: ours[i].Lease, model: cl.Lease, attempt: cl.Attempt})
			tw.note("  claimed %s for %s, attempt %d", cl.EventID, cl.SubscriptionID, cl.Attempt)
			continue
		}
		tw.model.release(cl)
		for j, p := range tw.claims {
			if sameDelivery(p.model, cl.Lease) {
				tw.claims[j].voided = true
			}
		}
	}
}

func sameDelivery(a, b store.Lease) bool {
	return a.SubscriptionID == b.SubscriptionID && a.EventID == b.EventID
}

// somePairs returns some claims, mostly late ones.
func (tw *twins) somePairs() []pair {
	var some []pair
	for range 1 + tw.rand.IntN(4) {
		if n := len(tw.claims); n > 0 {
			some = append(some, tw.claims[max(0, n-1-tw.rand.IntN(12))])
		}
	}
	return some
}

// finish finishes some claims in both.
func (tw *twins) finish() { tw.finishPairs(tw.somePairs(), tw.outcome) }

// finishOf finishes all claims of a subscription that there were lately, in one call and in any order.
func (tw *twins) finishOf(subscriptionID string, outcome func(pair) store.Outcome) {
	const lately = 40
	var pairs []pair
	for _, p := range slices.Backward(tw.claims[max(0, len(tw.claims)-lately):]) {
		known := slices.ContainsFunc(pairs, func(o pair) bool { return sameDelivery(o.ours, p.ours) })
		if p.ours.SubscriptionID == subscriptionID && !known {
			pairs = append(pairs, p)
		}
	}
	tw.rand.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	tw.finishPairs(pairs, outcome)
}

func (tw *twins) finishPairs(pairs []pair, outcome func(pair) store.Outcome) {
	tw.stepAside()
	var ours, model []store.Outcome
	for _, p := range pairs {
		o := outcome(p)
		tw.note("finish %s for %s: %s, retry in %v, hold for %v, body %d %q",
			p.ours.EventID, p.ours.SubscriptionID, o.State, o.RetryIn, o.ProbeIn, o.BodyState, o.BodyOverride)
		tw.edge(o.RetryIn)
		tw.edge(o.ProbeIn)
		o.Lease = p.ours
		ours = append(ours, o)
		o.Lease = p.model
		model = append(model, o)
	}
	tw.finishBoth(ours, model)
}

func (tw *twins) finishBoth(ours, model []store.Outcome) {
	got, want := tw.ours.finish(ours...), tw.model.finish(model...)
	for i := range got {
		equal(tw.ours, "Ignored", got[i].Ignored, want[i].Ignored)
		tw.sameHealth("Before", got[i].Before, want[i].Before)
		tw.sameHealth("After", got[i].After, want[i].After)
	}
}

// outcome returns a random one for the claim.
func (tw *twins) outcome(p pair) store.Outcome {
	cl := store.Claim{Attempt: p.attempt}
	o := failed(cl, one(tw, 0, tw.duration()))
	switch {
	case p.voided || tw.chance(3):
		o = delivered(cl)
	case tw.chance(6):
		return canceled(cl, "filtered")
	case tw.chance(4):
		o = dead(cl)
	}
	if o.State != store.Delivered && tw.chance(4) {
		o.ProbeIn = tw.duration()
	}
	if tw.chance(2) {
		o.BodyState = one(tw, store.BodyOverridden, store.BodyOverridden, store.BodyUnchanged, store.BodyUnfiltered)
		if o.BodyState == store.BodyOverridden {
			o.BodyOverride = fmt.Appendf(nil, "its own of step %d", tw.step)
		}
	}
	o.Attempt.Duration = one(tw, 5*time.Millisecond, 200*time.Millisecond, 4*time.Second)
	return o
}

// ending returns a random outcome that ends the delivery.
func (tw *twins) ending(p pair) store.Outcome {
	o := tw.outcome(p)
	if o.State == store.Pending {
		return delivered(store.Claim{Attempt: p.attempt})
	}
	return o
}

// release gives some claims back in both.
func (tw *twins) release() {
	for _, p := range tw.somePairs() {
		tw.note("release %s for %s", p.ours.EventID, p.ours.SubscriptionID)
		tw.ours.must("Release", tw.ours.store.Release(tw.ours.ctx, p.ours))
		tw.model.must("Release", tw.model.store.Release(tw.model.ctx, p.model))
	}
}

// pause pauses a subscription in both, or ends a pause. Pauses of those that are not there may be kept until they are.
func (tw *twins) pause() {
	id := tw.someSub()
	if tw.paused != "" && tw.chance(2) {
		id = tw.paused
	}
	if _, err := tw.model.store.Subscription(tw.model.ctx, id); err != nil {
		return
	}
	d := one(tw, 0, tw.duration(), tw.duration())
	tw.edge(d)
	tw.paused = id
	tw.pauseBoth(id, d)
}

func (tw *twins) pauseBoth(id string, d time.Duration) {
	replaced := one(tw, 0, time.Hour)
	tw.note("pause %s for %v, in place of %v", id, d, replaced)
	req := store.ClaimRequest{Pauses: []store.Pause{{SubscriptionID: id, For: replaced}, {SubscriptionID: id, For: d}}}
	tw.ours.claimWith(req)
	tw.model.claimWith(req)
}

// sameClaim checks all of a claim but its token.
func (tw *twins) sameClaim(got, want store.Claim) {
	tw.sameSub("Claim.Subscription", got.Subscription, want.Subscription)
	tw.sameHealth("Claim.Health", got.Health, want.Health)
	tw.sameTime("EnqueuedAt", got.EnqueuedAt, want.EnqueuedAt)
	same := got.EventType == want.EventType && got.Tenant == want.Tenant && got.Key == want.Key &&
		got.Trace == want.Trace && got.EventTime.Equal(want.EventTime) && string(got.Body) == string(want.Body) &&
		got.BodyState == want.BodyState && string(got.BodyOverride) == string(want.BodyOverride) &&
		got.Attempt == want.Attempt && got.Retry == want.Retry
	if !same {
		tw.ours.errorf("claim: got %+v, want %+v", got, want)
	}
}
