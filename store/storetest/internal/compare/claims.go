package compare

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// claim claims from both with a random request.
func (s *sequence) claim() {
	req := store.ClaimRequest{
		Max:             one(s.rand, 0, 1, 2, 3, 5, 100),
		Lease:           s.duration(),
		PerSubscription: one(s.rand, 0, 0, 1, 2, 4, 8),
		PerTenant:       one(s.rand, 0, 0, 1, 2, 4),
		PerHost:         one(s.rand, 0, 0, 0, 1, 3),
		MaxUnhealthy:    one(s.rand, 0, 0, 1, 3, 6),
		MaxFailing:      one(s.rand, 0, 0, 1, 2),
	}
	if !s.disordered { // or else which is the newest is the store's choice
		req.BreakerThreshold = one(s.rand, 0, 0, 1, 2, 3)
	}
	s.claimBy(req)
}

func (s *sequence) claimBy(req store.ClaimRequest) {
	if s.shards { // what they share of it they look at again only after a moment
		req.PerHost = 0
	}
	s.stepAside()
	s.edge(req.Lease)
	s.note("claim %+v", req)
	room := s.room(req)
	got := s.ours.ClaimWith(req)
	// All that is due, where breakers are open what their probes take.
	all := s.model.ClaimWith(store.ClaimRequest{
		Max: 1 << 30, Lease: req.Lease, BreakerThreshold: req.BreakerThreshold,
	})
	room.check(s.ours, got.Claims, all.Claims)
	if got.NextDue-s.tolerance() > all.NextDue || got.NextDue <= 0 {
		s.ours.Errorf("NextDue: got %v, want at most %v", got.NextDue, all.NextDue)
	}
	s.follow(got.Claims, all.Claims)
}

// duration returns how long a lease or a delay is.
func (mp *modelPair) duration() time.Duration {
	if mp.realTime {
		return mp.ours.Long
	}
	return one(mp.rand, 20*time.Second, 5*time.Minute, 3*time.Hour, 30*time.Hour, store.MaxDuration)
}

// follow makes the model, which has claimed all, keep only what ours has claimed. Giving the rest
// back voids tokens whose lease has run out, which for ours are still good; a pair remembers that.
func (s *sequence) follow(ours, all []store.Claim) {
	for _, cl := range all {
		i := slices.IndexFunc(ours, func(o store.Claim) bool {
			return sameDelivery(o.Lease, cl.Lease)
		})
		if i >= 0 {
			s.sameClaim(ours[i], cl)
			s.claims = append(s.claims,
				pair{ours: ours[i].Lease, model: cl.Lease, attempt: cl.Attempt})
			s.note("  claimed %s for %s, attempt %d", cl.EventID, cl.SubscriptionID, cl.Attempt)
			continue
		}
		s.model.Release(cl)
		for j, p := range s.claims {
			if sameDelivery(p.model, cl.Lease) {
				s.claims[j].voided = true
			}
		}
	}
}

func sameDelivery(a, b store.Lease) bool {
	return a.SubscriptionID == b.SubscriptionID && a.EventID == b.EventID
}

// somePairs returns some claims, mostly late ones.
func (s *sequence) somePairs() []pair {
	var some []pair
	for range 1 + s.rand.IntN(4) {
		if n := len(s.claims); n > 0 {
			some = append(some, s.claims[max(0, n-1-s.rand.IntN(12))])
		}
	}
	return some
}

// finish finishes some claims in both.
func (s *sequence) finish() { s.finishPairs(s.somePairs(), s.outcome) }

// finishOf finishes all claims of a subscription that there were lately, in one call and in any
// order.
func (s *sequence) finishOf(subscriptionID string, outcome func(pair) store.Outcome) {
	const lately = 40
	var pairs []pair
	for _, p := range slices.Backward(s.claims[max(0, len(s.claims)-lately):]) {
		known := slices.ContainsFunc(pairs, func(o pair) bool {
			return sameDelivery(o.ours, p.ours)
		})
		if p.ours.SubscriptionID == subscriptionID && !known {
			pairs = append(pairs, p)
		}
	}
	s.rand.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	s.finishPairs(pairs, outcome)
}

func (s *sequence) finishPairs(pairs []pair, outcome func(pair) store.Outcome) {
	s.stepAside()
	var ours, model []store.Outcome
	for _, p := range pairs {
		o := outcome(p)
		s.note("finish %s for %s: %s, effect %d, retry in %v (kept: %t), probe %+v, body %d %q",
			p.ours.EventID, p.ours.SubscriptionID, o.State, o.Effect, o.RetryIn, o.KeepRetry,
			o.Probe, o.BodyState, o.BodyOverride)
		s.edge(o.RetryIn)
		o.Lease = p.ours
		ours = append(ours, o)
		o.Lease = p.model
		model = append(model, o)
	}
	s.finishBoth(ours, model)
}

func (mp *modelPair) finishBoth(ours, model []store.Outcome) {
	got, want := mp.ours.Finish(ours...), mp.model.Finish(model...)
	for i := range got {
		check.Equal(mp.ours, "Ignored", got[i].Ignored, want[i].Ignored)
		if got[i].Ignored || want[i].Ignored {
			continue
		}
		mp.sameHealth("Before", *got[i].Before, *want[i].Before)
		mp.sameHealth("After", *got[i].After, *want[i].After)
		mp.edge(time.Until(want[i].After.NextProbeAt))
	}
}

// outcome returns a random one for the claim.
func (mp *modelPair) outcome(p pair) store.Outcome {
	cl := store.Claim{Attempt: p.attempt}
	o := check.Failed(cl, one(mp.rand, 0, mp.duration()))
	switch {
	case p.voided || mp.chance(3):
		o = check.Delivered(cl)
	case mp.chance(6):
		return check.Canceled(cl, "filtered")
	case mp.chance(4):
		o = check.Dead(cl)
	}
	if o.State != store.Delivered {
		mp.sayWhatItMeans(&o)
	}
	if mp.chance(2) {
		o.BodyState = one(mp.rand, store.BodyOverridden, store.BodyOverridden, store.BodyUnchanged,
			store.BodyUnsent)
		if o.BodyState.HasOverride() {
			o.BodyOverride = fmt.Appendf(nil, "its own of step %d", mp.step)
		}
	}
	o.Attempt.Duration = one(mp.rand, 5*time.Millisecond, 200*time.Millisecond, 4*time.Second)
	return o
}

// sayWhatItMeans gives an outcome that is no success an effect, and maybe a breaker.
func (mp *modelPair) sayWhatItMeans(o *store.Outcome) {
	// Never throttled: with a pace, what is due depends on when something was claimed last, and the
	// model claims more than ours and gives it back.
	o.Effect = one(mp.rand, store.EffectDown, store.EffectDown, store.EffectDown,
		store.EffectRefused, store.EffectNone)
	if mp.chance(3) {
		first := mp.duration()
		o.Probe = store.ProbePolicy{
			Threshold: one(mp.rand, 1, 1, 2, 3), First: first,
			Max: 4 * min(first, store.MaxDuration/4), Jitter: one(mp.rand, 0, 0.5),
		}
	}
	if o.State == store.Pending {
		o.KeepRetry = mp.chance(4)
	}
}

// ending returns a random outcome that ends the delivery.
func (mp *modelPair) ending(p pair) store.Outcome {
	o := mp.outcome(p)
	if o.State == store.Pending {
		return check.Delivered(store.Claim{Attempt: p.attempt})
	}
	return o
}

// release gives some claims back in both.
func (s *sequence) release() {
	for _, p := range s.somePairs() {
		s.note("release %s for %s", p.ours.EventID, p.ours.SubscriptionID)
		s.ours.Must("Release", s.ours.Store.Release(s.ours.Ctx(), p.ours))
		s.model.Must("Release", s.model.Store.Release(s.model.Ctx(), p.model))
	}
}

// pause pauses a subscription in both, or ends a pause. Pauses of those that are not there may be
// kept until they are.
func (s *sequence) pause() {
	id := s.someSub()
	if s.paused != "" && s.chance(2) {
		id = s.paused
	}
	if _, err := s.model.Store.Subscription(s.model.Ctx(), id); err != nil {
		return
	}
	d := one(s.rand, 0, s.duration(), s.duration())
	s.edge(d)
	s.paused = id
	s.pauseBoth(id, d)
}

// ownLimit is a limit that a subscription has of its own.
type ownLimit struct {
	limit int
	until time.Time
}

// limit gives a subscription a limit of its own in ours, or ends it. The model has none: it claims
// all that is due, and what a limit leaves of that is computed.
func (s *sequence) limit() {
	id := s.someSub()
	if len(s.own) > 0 && s.chance(2) {
		id = one(s.rand, slices.Sorted(maps.Keys(s.own))...)
	}
	if _, err := s.model.Store.Subscription(s.model.Ctx(), id); err != nil {
		return
	}
	s.limitTo(id, one(s.rand, 1, 2, 3, 10), one(s.rand, 0, s.duration(), s.duration()))
}

func (s *sequence) limitTo(id string, limit int, d time.Duration) {
	s.note("limit %s to %d for %v", id, limit, d)
	s.edge(d)
	delete(s.own, id)
	if d > 0 {
		s.own[id] = ownLimit{limit, time.Now().Add(d)}
	}
	s.ours.ClaimWith(store.ClaimRequest{
		PerSubscription: one(s.rand, 0, 1, 2),
		Pauses:          []store.Pause{{SubscriptionID: id, For: d, Limit: limit}},
	})
}

// endLimits ends the limits of some subscriptions.
func (s *sequence) endLimits(ids ...string) {
	for _, id := range ids {
		if _, there := s.own[id]; there {
			s.limitTo(id, 1, 0)
		}
	}
}

func (mp *modelPair) pauseBoth(id string, d time.Duration) {
	replaced := one(mp.rand, 0, time.Hour)
	mp.note("pause %s for %v, in place of %v", id, d, replaced)
	req := store.ClaimRequest{Pauses: []store.Pause{{SubscriptionID: id, For: replaced},
		{SubscriptionID: id, For: d}}}
	mp.ours.ClaimWith(req)
	mp.model.ClaimWith(req)
}

// sameClaim checks all of a claim but its token.
func (mp *modelPair) sameClaim(got, want store.Claim) {
	mp.sameSub("Claim.Subscription", *got.Subscription, *want.Subscription)
	mp.sameHealth("Claim.Health", *got.Health, *want.Health)
	mp.sameTime("EnqueuedAt", got.EnqueuedAt, want.EnqueuedAt)
	same := got.EventType == want.EventType && got.Tenant == want.Tenant && got.Key == want.Key &&
		got.Trace == want.Trace && got.EventTime.Equal(want.EventTime) &&
		string(got.Body) == string(want.Body) &&
		got.BodyState == want.BodyState && string(got.BodyOverride) == string(want.BodyOverride) &&
		got.Attempt == want.Attempt && got.Retry == want.Retry && got.Probe == want.Probe
	mp.ours.SameWindow("claim of "+want.EventID, got.Tags, got.NotBefore, got.ExpiresAt,
		&events.Event{Tags: want.Tags, NotBefore: want.NotBefore, ExpiresAt: want.ExpiresAt})
	if !same {
		mp.ours.Errorf("claim: got %+v, want %+v", got, want)
	}
}
