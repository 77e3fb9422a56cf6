package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// look compares everything that can be seen of the stores.
func (tw *twins) look() {
	tw.stepAside()
	tw.lookAtSubscriptions()
	tw.lookAtStats("")
	tw.lookAtDeliveries(store.DeliveryQuery{AnyTenant: true, Limit: 1 + tw.rand.IntN(50)})
	tw.lookAtDeliveries(tw.query())
	tw.lookAtSubscription(tw.someSub())
}

// lookAtSubscription compares what is said of one that may be deleted.
func (tw *twins) lookAtSubscription(id string) {
	got, ours := tw.ours.store.Subscription(tw.ours.ctx, id)
	want, model := tw.model.store.Subscription(tw.model.ctx, id)
	if tw.sameError("Subscription", ours, model) {
		tw.sameSub("Subscription", got, want)
	}
	_, ours = tw.ours.store.Stats(tw.ours.ctx, id)
	_, model = tw.model.store.Stats(tw.model.ctx, id)
	tw.sameError("Stats", ours, model)
}

func (tw *twins) lookAtSubscriptions() {
	q := store.SubscriptionQuery{Tenant: tw.tenant(), AnyTenant: tw.chance(2)}
	got, err := tw.ours.store.Subscriptions(tw.ours.ctx, q)
	tw.ours.must("Subscriptions", err)
	want, err := tw.model.store.Subscriptions(tw.model.ctx, q)
	tw.model.must("Subscriptions", err)
	tw.ours.sameIDs("subscriptions", subscriptionIDs(got.Items), subscriptionIDs(want.Items))
	equal(tw.ours, "Total", got.Total, want.Total)
	for i := range min(len(got.Items), len(want.Items)) {
		tw.sameSub("Subscriptions", got.Items[i], want.Items[i])
		tw.lookAtStats(want.Items[i].ID)
	}
}

func (tw *twins) lookAtStats(id string) {
	got, want := tw.ours.stats(id), tw.model.stats(id)
	equal(tw.ours, "Pending of "+id, got.Pending, want.Pending)
	equal(tw.ours, "InFlight of "+id, got.InFlight, want.InFlight)
	tw.sameTime("OldestPending of "+id, got.OldestPending, want.OldestPending)
	tw.sameHealth("Stats.Health of "+id, got.Health, want.Health)
	tw.sameTime("FailingSince of "+id, got.FailingSince, want.FailingSince)
	tw.sameWindow("Hour of "+id, got.Hour, want.Hour)
	tw.sameWindow("Day of "+id, got.Day, want.Day)
	if id == "" {
		equal(tw.ours, "Subscriptions", got.Subscriptions, want.Subscriptions)
	}
}

// sameWindow checks figures of which the model's times are within a tenth, as are those of the store.
func (tw *twins) sameWindow(what string, got, want store.AttemptStats) {
	const both = 1.1 / 0.9
	near := func(a, b time.Duration) bool { return float64(a) <= both*float64(b) && float64(b) <= both*float64(a) }
	if got.Delivered != want.Delivered || got.Failed != want.Failed || !near(got.P50, want.P50) || !near(got.P95, want.P95) {
		tw.ours.errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func (tw *twins) lookAtDeliveries(q store.DeliveryQuery) {
	got, want := tw.ours.deliveries(q), tw.model.deliveries(q)
	if tw.disordered {
		slices.SortFunc(got, byName)
		slices.SortFunc(want, byName)
	}
	byEvent(got)
	byEvent(want)
	tw.ours.sameIDs("deliveries", listed(got), listed(want))
	for i := range min(len(got), len(want)) {
		tw.sameDelivery(got[i], want[i])
	}
	if len(want) > 0 {
		tw.lookAtAttempts(one(tw, want...))
	}
}

func byName(a, b store.Delivery) int { return cmp.Compare(a.EventID, b.EventID) }

// byEvent brings deliveries of the same event, whose order is the store's choice, into one.
func byEvent(ds []store.Delivery) {
	for len(ds) > 0 {
		n := slices.IndexFunc(ds, func(d store.Delivery) bool { return d.EventID != ds[0].EventID })
		if n < 0 {
			n = len(ds)
		}
		slices.SortFunc(ds[:n], func(a, b store.Delivery) int { return cmp.Compare(a.SubscriptionID, b.SubscriptionID) })
		ds = ds[n:]
	}
}

func (tw *twins) lookAtAttempts(d store.Delivery) {
	l := store.Lease{SubscriptionID: d.SubscriptionID, EventID: d.EventID}
	got, want := tw.ours.attempts(l), tw.model.attempts(l)
	equal(tw.ours, "attempts of "+d.EventID, len(got), len(want))
	for i := range min(len(got), len(want)) {
		tw.ours.sameAttempt("an attempt of "+d.EventID, got[i], want[i])
	}
}

func (tw *twins) sameDelivery(got, want store.Delivery) {
	what := "of " + want.EventID + " for " + want.SubscriptionID
	tw.sameTime("CreatedAt "+what, got.CreatedAt, want.CreatedAt)
	if now := time.Now(); got.DueAt.IsZero() || got.DueAt.After(now) || want.DueAt.After(now) {
		tw.sameTime("DueAt "+what, got.DueAt, want.DueAt) // since when one is due is the store's choice
	}
	tw.sameTime("FinishedAt "+what, got.FinishedAt, want.FinishedAt)
	got.CreatedAt, got.DueAt, got.FinishedAt = want.CreatedAt, want.DueAt, want.FinishedAt
	if got != want {
		tw.ours.errorf("delivery %s: got %+v, want %+v", what, got, want)
	}
}

func (tw *twins) sameSub(what string, got, want store.Subscription) {
	tw.ours.sameSubscription(what, got, want)
	tw.sameTime(what+": CreatedAt", got.CreatedAt, want.CreatedAt)
	tw.sameTime(what+": UpdatedAt", got.UpdatedAt, want.UpdatedAt)
	tw.sameTime(what+": SubscribedAt", got.SubscribedAt, want.SubscribedAt)
}

func (tw *twins) sameHealth(what string, got, want store.Health) {
	tw.sameTime(what+": NextProbeAt", got.NextProbeAt, want.NextProbeAt)
	if d := got.FailingFor - want.FailingFor; d < -tw.tolerance() || d > tw.tolerance() {
		tw.ours.errorf("%s: FailingFor: got %v, want %v", what, got.FailingFor, want.FailingFor)
	}
	tw.sameTime(what+": LastFailureAt", got.LastFailureAt, want.LastFailureAt)
	tw.sameTime(what+": HeldUntil", got.HeldUntil, want.HeldUntil)
	tw.sameTime(what+": ThrottledAt", got.Pacing.ThrottledAt, want.Pacing.ThrottledAt)
	got.NextProbeAt, got.FailingFor, got.LastFailureAt = want.NextProbeAt, want.FailingFor, want.LastFailureAt
	got.HeldUntil, got.Pacing.ThrottledAt = want.HeldUntil, want.Pacing.ThrottledAt
	equal(tw.ours, what, got, want)
}

// sameTime checks a time that each store has stamped.
func (tw *twins) sameTime(what string, got, want time.Time) {
	d := got.Sub(want)
	if got.IsZero() != want.IsZero() || d < -tw.tolerance() || d > tw.tolerance() {
		tw.ours.errorf("%s: got %v, want %v", what, got, want)
	}
}

// tolerance is how far times may differ that both stores stamped in one operation.
func (tw *twins) tolerance() time.Duration {
	if tw.realTime {
		return tw.ours.skew
	}
	return margin
}
