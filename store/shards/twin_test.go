package shards_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// twins are a plain store and one whose tenants are moved, to which the same is done. Whatever can
// be seen of them must be the same.
type twins struct {
	*testing.T
	rand         *rand.Rand
	plain, moved store.Store
	n            int
	subs         []string
	events       []events.Event
	trace        []string
}

func (tw *twins) note(format string, args ...any) {
	tw.trace = append(tw.trace, fmt.Sprintf(format, args...))
}

// both does something to both, which must go alike.
func (tw *twins) both(what string, do func(store.Store) error) {
	tw.Helper()
	tw.note("%s", what)
	a, b := do(tw.plain), do(tw.moved)
	if (a == nil) != (b == nil) || errors.Is(a, store.ErrNotFound) != errors.Is(b, store.ErrNotFound) {
		tw.Fatalf("%s: got error %v, want %v\n%q", what, b, a, tw.trace)
	}
}

func (tw *twins) tenant() string { return []string{"", "a", "bb"}[tw.rand.IntN(3)] }

func (tw *twins) someSub() string { return tw.subs[tw.rand.IntN(len(tw.subs))] }

// step does a random operation to both.
func (tw *twins) step() {
	ctx := tw.Context()
	tw.n++
	switch tw.rand.IntN(12) {
	case 0:
		if len(tw.subs) >= 9 {
			return
		}
		sub := store.Subscription{
			ID: fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", tw.n), Tenant: tw.tenant(),
			Name: fmt.Sprint(tw.n), URL: "https://endpoint.example/", Status: store.Subscribed,
			Headers: map[string]string{"X-A": "b"}, Secrets: []signing.Secret{"s"},
		}
		if tw.n%2 == 0 {
			sub.Description, sub.Metadata = "of them all", map[string]string{"n": fmt.Sprint(tw.n)}
			sub.Filter, sub.Fields, sub.Rate = "{}", []string{"a.b"}, 0.5
			sub.Timeout, sub.VerifiedAt = time.Second, rounded(time.Now())
		}
		tw.subs = append(tw.subs, sub.ID)
		tw.both("create "+sub.ID, func(s store.Store) error {
			_, err := s.CreateSubscription(ctx, sub)
			return err
		})
	case 1:
		id, status := tw.someSub(), []store.Status{store.Subscribed, store.Unsubscribed}[tw.rand.IntN(2)]
		tw.both(fmt.Sprintf("update %s to %s", id, status), func(s store.Store) error {
			_, err := s.UpdateSubscription(ctx, id, func(sub *store.Subscription) error {
				sub.Status, sub.Name = status, fmt.Sprint(tw.n)
				return nil
			})
			return err
		})
	case 2:
		q := store.DeliveryQuery{AnyTenant: true, SubscriptionID: tw.someSub()}
		if tw.rand.IntN(2) == 0 {
			q.States = store.States()
		}
		tw.both("requeue", func(s store.Store) error { return requeueAll(tw.T, s, q) })
	case 3:
		if len(tw.events) == 0 || tw.rand.IntN(3) > 0 {
			return
		}
		ev := tw.events[tw.rand.IntN(len(tw.events))]
		q := store.EraseQuery{Tenant: ev.Tenant, EventID: ev.ID}
		tw.both("erase", func(s store.Store) error { _, _, err := s.Erase(ctx, q); return err })
	case 4:
		id := tw.someSub()
		tw.both("probe", func(s store.Store) error { return s.ProbeNow(ctx, id) })
	case 5:
		<-time.After(time.Duration(tw.rand.IntN(400)) * time.Second) // of the bubble
	case 6, 7, 8:
		tw.enqueue()
	default:
		tw.deliver()
	}
}

func requeueAll(t *testing.T, s store.Store, q store.DeliveryQuery) error {
	for {
		step, err := s.Requeue(t.Context(), q)
		if err != nil || step.Next == "" {
			return err
		}
		q.Cursor = step.Next
	}
}

func (tw *twins) enqueue() {
	tw.n++
	ev := events.Event{
		ID: fmt.Sprintf("event-%d", tw.n), Type: "a.b", Tenant: tw.tenant(), Time: time.Now(),
		Key: []string{"", "", "k", "l"}[tw.rand.IntN(4)], Payload: json.RawMessage(`{"n":1}`),
		Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
	if tw.n%3 == 0 {
		ev.Tags = []string{"b", fmt.Sprint("n:", tw.n)}
	}
	if len(tw.events) > 0 && tw.rand.IntN(5) == 0 {
		ev = tw.events[tw.rand.IntN(len(tw.events))] // again, which changes nothing
	} else {
		tw.events = append(tw.events, ev)
	}
	tw.both("enqueue "+ev.ID, func(s store.Store) error { return s.Enqueue(tw.Context(), ev) })
}

// deliver claims all that is due and finishes it. An outcome goes by what the claim is of, so it is
// the same for both.
func (tw *twins) deliver() {
	var claimed [2][]store.Claim
	for i, s := range []store.Store{tw.plain, tw.moved} {
		got, err := s.Claim(tw.Context(), store.ClaimRequest{Max: 1000, Lease: time.Minute})
		if err != nil {
			tw.Fatal(err)
		}
		slices.SortStableFunc(got.Claims, func(a, b store.Claim) int {
			return cmp.Or(cmp.Compare(a.SubscriptionID, b.SubscriptionID),
				cmp.Compare(a.EventID, b.EventID))
		})
		claimed[i] = got.Claims
		var outcomes []store.Outcome
		for j := range got.Claims {
			outcomes = append(outcomes, outcomeOf(&got.Claims[j], tw.n))
		}
		results, err := s.Finish(tw.Context(), outcomes...)
		if err != nil {
			tw.Fatal(err)
		}
		for j := range results {
			if results[j].Ignored {
				tw.Errorf("outcome of %s was ignored", got.Claims[j].EventID)
			}
		}
	}
	tw.note("deliver %d", len(claimed[0]))
	var seen [2][]seenClaim
	for i := range claimed {
		for _, cl := range claimed[i] {
			seen[i] = append(seen[i], see(cl))
		}
	}
	tw.same("claims", seen[1], seen[0])
}

// seenClaim is a claim without what the stores choose, such as how a time is held.
type seenClaim struct {
	claim        store.Claim // without its pointers, which are of each store
	subscription store.Subscription
	health       store.Health
}

func see(cl store.Claim) seenClaim {
	seen := seenClaim{cl, roundedSub(*cl.Subscription), roundedHealth(*cl.Health)}
	seen.claim.Token, seen.claim.Subscription, seen.claim.Health = 0, nil, nil
	seen.claim.EnqueuedAt = rounded(cl.EnqueuedAt)
	return seen
}

func roundedSub(sub store.Subscription) store.Subscription {
	sub.CreatedAt, sub.UpdatedAt = rounded(sub.CreatedAt), rounded(sub.UpdatedAt)
	sub.SubscribedAt = rounded(sub.SubscribedAt)
	return sub
}

func roundedHealth(h store.Health) store.Health {
	h.LastFailureAt, h.NextProbeAt = rounded(h.LastFailureAt), rounded(h.NextProbeAt)
	h.FailingFor = h.FailingFor.Truncate(time.Second)
	h.HeldUntil, h.Pacing.ThrottledAt = rounded(h.HeldUntil), rounded(h.Pacing.ThrottledAt)
	return h
}

func outcomeOf(cl *store.Claim, n int) store.Outcome {
	h := fnv.New32a()
	fmt.Fprint(h, cl.SubscriptionID, cl.EventID, cl.Attempt)
	o := store.Outcome{Lease: cl.Lease, State: store.Pending, Attempt: store.Attempt{
		Number: cl.Attempt, At: time.Now(), Duration: 7 * time.Millisecond, Status: 500, Error: "x",
		Response: []byte("answer"),
	}}
	switch h.Sum32() % 7 {
	case 0, 1:
		o.State, o.Attempt.Status, o.Attempt.Error = store.Delivered, 200, ""
	case 2:
		o.State = store.Dead
	case 3:
		o.RetryIn, o.BodyState, o.BodyOverride = time.Minute, store.BodyOverridden, fmt.Append(nil, n)
	case 4:
		o.Probe = store.ProbePolicy{Threshold: 1, First: time.Minute, Max: time.Minute}
	case 5:
		if !cl.Health.Pacing.ThrottledAt.IsZero() {
			break // a pace begins anew when a tenant has moved, as it does after a restart
		}
		o.Effect, o.ThrottleFor = store.EffectThrottled, 100*time.Second
	default:
		o.RetryIn, o.KeepRetry = 200*time.Second, true
	}
	return o
}

func (tw *twins) same(what string, got, want any) {
	tw.Helper()
	// As text: an empty slice and none, and two ways to hold the same time, are the same.
	g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want)
	if g != w {
		i := 0
		for i < min(len(g), len(w)) && g[i] == w[i] {
			i++
		}
		i = max(0, i-200)
		tw.Fatalf("%s, from character %d:\ngot  … %.700s\nwant … %.700s\nafter %q", what, i, g[i:],
			w[i:], tw.trace)
	}
}

// compare compares all that can be seen. The order of a listing among tenants is the shards'.
func (tw *twins) compare() {
	tw.Helper()
	for _, tenant := range []string{"", "a", "bb"} {
		var views [2]view
		for i, s := range []store.Store{tw.plain, tw.moved} {
			views[i] = tw.view(s, tenant)
		}
		tw.same("what is seen of tenant "+tenant, views[1], views[0])
	}
}

// view is what can be seen of a tenant.
type view struct {
	Subscriptions []store.Subscription
	Healths       []store.Health
	Pending       []int
	Deliveries    []store.Delivery
	Attempts      [][]store.Attempt
	Events        []store.StoredEvent
}

func (tw *twins) view(s store.Store, tenant string) (v view) {
	ctx := tw.Context()
	subs, err := s.Subscriptions(ctx, store.SubscriptionQuery{Tenant: tenant})
	if err != nil {
		tw.Fatal(err)
	}
	for _, sub := range subs.Items {
		stats, err := s.Stats(ctx, sub.ID)
		if err != nil {
			tw.Fatal(err)
		}
		v.Subscriptions = append(v.Subscriptions, roundedSub(sub))
		v.Healths = append(v.Healths, roundedHealth(stats.Health))
		v.Pending = append(v.Pending, stats.Pending)
	}
	q := store.DeliveryQuery{Tenant: tenant, Limit: 7}
	for more := true; more; more = q.Cursor != "" {
		page, err := s.Deliveries(ctx, q)
		if err != nil {
			tw.Fatal(err)
		}
		for _, d := range page.Items {
			attempts, err := s.Attempts(ctx, d.SubscriptionID, d.EventID)
			if err != nil {
				tw.Fatal(err)
			}
			for i := range attempts {
				attempts[i].At = rounded(attempts[i].At)
			}
			d.CreatedAt, d.FinishedAt = rounded(d.CreatedAt), rounded(d.FinishedAt)
			d.WaitUntil = rounded(d.WaitUntil)
			if d.DueAt = rounded(d.DueAt); d.DueAt.Before(time.Now()) {
				d.DueAt = time.Time{} // since when it is due is the store's choice
			}
			v.Deliveries, v.Attempts = append(v.Deliveries, d), append(v.Attempts, attempts)
			ev, err := s.Event(ctx, d.Tenant, d.EventID)
			if err != nil {
				tw.Fatal(err)
			}
			ev.EnqueuedAt = rounded(ev.EnqueuedAt)
			v.Events = append(v.Events, ev)
		}
		q.Cursor = page.Next
	}
	return v
}

func rounded(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Round(0).Truncate(time.Second)
}

// TestMovedTenantIsTheSame moves tenants back and forth between stores of each kind while all that
// a store can do is done, and compares what is seen with a store that is left in peace.
func TestMovedTenantIsTheSame(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			s := movable(t)
			defer s.Close()
			plain := memstore.New()
			defer plain.Close()
			tw := &twins{T: t, rand: rand.New(rand.NewPCG(seed, 1)), plain: plain, moved: s,
				subs: []string{"5ab5c81b-0000-4000-8000-0000000000ff"}}
			for range 150 {
				tw.step()
				if tw.rand.IntN(8) == 0 {
					tenant, to := tw.tenant(), tw.rand.IntN(len(s.inner))
					tw.note("move %q to %d", tenant, to)
					if err := s.Move(t.Context(), tenant, to); err != nil {
						t.Fatal(err)
					}
				}
				tw.compare()
			}
		})
	}
}
