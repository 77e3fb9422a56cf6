package compare

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// compareState compares everything that can be seen of the stores.
func (s *sequence) compareState() {
	s.stepAside()
	s.compareSubscriptions()
	s.compareStats("")
	s.comparePending(s.tenant(), 1+s.rand.IntN(100))
	s.compareDeliveries(store.DeliveryQuery{AnyTenant: true, Limit: 1 + s.rand.IntN(50)})
	s.compareDeliveries(s.query())
	s.lookAtSubscription(s.someSub())
}

// lookAtSubscription compares what is said of one that may be deleted.
func (mp *modelPair) lookAtSubscription(id string) {
	got, ours := mp.ours.Store.Subscription(mp.ours.Ctx(), id)
	want, model := mp.model.Store.Subscription(mp.model.Ctx(), id)
	if mp.sameError("Subscription", ours, model) {
		mp.sameSub("Subscription", got, want)
	}
	_, ours = mp.ours.Store.Stats(mp.ours.Ctx(), id)
	_, model = mp.model.Store.Stats(mp.model.Ctx(), id)
	mp.sameError("Stats", ours, model)
}

func (mp *modelPair) compareSubscriptions() {
	q := mp.subscriptionQuery()
	got, err := mp.ours.Store.Subscriptions(mp.ours.Ctx(), q)
	mp.ours.Must("Subscriptions", err)
	want, err := mp.model.Store.Subscriptions(mp.model.Ctx(), q)
	mp.model.Must("Subscriptions", err)
	if mp.shards {
		slices.SortFunc(got.Items, byID)
		slices.SortFunc(want.Items, byID)
	}
	mp.ours.SameIDs("subscriptions", check.SubscriptionIDs(got.Items),
		check.SubscriptionIDs(want.Items))
	check.Equal(mp.ours, "Total", got.Total, want.Total)
	check.Equal(mp.ours, "TotalIsLowerBound", got.TotalIsLowerBound, want.TotalIsLowerBound)
	check.Equal(mp.ours, "there is a next page", got.Next != "", want.Next != "")
	for i := range min(len(got.Items), len(want.Items)) {
		mp.sameSub("Subscriptions", got.Items[i], want.Items[i])
		mp.compareStats(want.Items[i].ID)
	}
}

// subscriptionQuery returns a query of all, or of some by filters.
func (mp *modelPair) subscriptionQuery() store.SubscriptionQuery {
	q := store.SubscriptionQuery{Tenant: mp.tenant(), AnyTenant: mp.chance(2)}
	if mp.chance(2) {
		return q
	}
	q.Statuses = one(mp.rand, nil, nil, []store.Status{store.Subscribed},
		[]store.Status{store.Unsubscribed}, store.Statuses())
	q.Text = one(mp.rand, "", "", "Other", "endpoint.example:444", "nowhere")
	if mp.chance(3) {
		q.EventType = mp.eventType()
	}
	if mp.chance(4) {
		q.Metadata = map[string]string{"of": fmt.Sprint(mp.rand.IntN(3))}
	}
	if !mp.shards { // which put those that were created at the same time in an order of their own
		q.Limit = one(mp.rand, 0, 1, 2, 5)
	}
	return q
}

func (mp *modelPair) compareStats(id string) {
	got, want := mp.ours.Stats(id), mp.model.Stats(id)
	check.Equal(mp.ours, "Pending of "+id, got.Pending, want.Pending)
	check.Equal(mp.ours, "InFlight of "+id, got.InFlight, want.InFlight)
	mp.sameTime("OldestPending of "+id, got.OldestPending, want.OldestPending)
	mp.sameHealth("Stats.Health of "+id, got.Health, want.Health)
	mp.sameTime("FailingSince of "+id, got.FailingSince, want.FailingSince)
	mp.sameWindow("Hour of "+id, got.Hour, want.Hour)
	mp.sameWindow("Day of "+id, got.Day, want.Day)
	if id == "" {
		check.Equal(mp.ours, "Subscriptions", got.Subscriptions, want.Subscriptions)
	}
}

func (mp *modelPair) comparePending(tenant string, limit int) {
	got, want := mp.ours.CountPending(tenant, limit), mp.model.CountPending(tenant, limit)
	check.Equal(mp.ours, fmt.Sprintf("pending of tenant %q, at most %d", tenant, limit), got, want)
}

// sameWindow checks the figures of a time. The durations of the model are within a tenth of the
// truth, and so are those of the store.
func (mp *modelPair) sameWindow(what string, got, want store.AttemptStats) {
	const both = 1.1 / 0.9
	near := func(a, b time.Duration) bool {
		return float64(a) <= both*float64(b) && float64(b) <= both*float64(a)
	}
	if got.Delivered != want.Delivered || got.Failed != want.Failed || !near(got.P50, want.P50) ||
		!near(got.P95, want.P95) {
		mp.ours.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func (mp *modelPair) compareDeliveries(q store.DeliveryQuery) {
	got, last := check.Follow(mp.ours, q, true)
	want := mp.model.Deliveries(q)
	if q.Cursor = last.Previous; q.Cursor != "" {
		back, _ := check.Follow(mp.ours, q, false)
		back = append(back, last.Items...)
		mp.ours.SameIDs("deliveries, back from the last page", check.Listed(back),
			check.Listed(got))
	}
	if mp.disordered {
		slices.SortFunc(got, byName)
		slices.SortFunc(want, byName)
	}
	byEvent(got)
	byEvent(want)
	mp.ours.SameIDs("deliveries", check.Listed(got), check.Listed(want))
	for i := range min(len(got), len(want)) {
		mp.sameDelivery(got[i], want[i])
	}
	if len(want) > 0 {
		d := one(mp.rand, want...)
		mp.compareAttempts(d)
		mp.compareEvent(d)
	}
}

func byID(a, b store.Subscription) int { return cmp.Compare(a.ID, b.ID) }

func byName(a, b store.Delivery) int { return cmp.Compare(a.EventID, b.EventID) }

// byEvent brings deliveries of the same event, whose order is the store's choice, into one.
func byEvent(ds []store.Delivery) {
	for len(ds) > 0 {
		n := slices.IndexFunc(ds, func(d store.Delivery) bool { return d.EventID != ds[0].EventID })
		if n < 0 {
			n = len(ds)
		}
		slices.SortFunc(ds[:n], func(a, b store.Delivery) int {
			return cmp.Compare(a.SubscriptionID, b.SubscriptionID)
		})
		ds = ds[n:]
	}
}

func (mp *modelPair) compareAttempts(d store.Delivery) {
	l := store.Lease{SubscriptionID: d.SubscriptionID, EventID: d.EventID}
	got, want := mp.ours.Attempts(l), mp.model.Attempts(l)
	check.Equal(mp.ours, "attempts of "+d.EventID, len(got), len(want))
	for i := range min(len(got), len(want)) {
		mp.ours.SameAttempt("an attempt of "+d.EventID, got[i], want[i])
	}
}

func (mp *modelPair) compareEvent(d store.Delivery) {
	got, err := mp.ours.Store.Event(mp.ours.Ctx(), d.Tenant, d.EventID)
	mp.ours.Must("Event", err)
	want, err := mp.model.Store.Event(mp.model.Ctx(), d.Tenant, d.EventID)
	mp.model.Must("Event", err)
	what := "event " + d.EventID
	mp.sameTime("EnqueuedAt of "+what, got.EnqueuedAt, want.EnqueuedAt)
	check.Equal(mp.ours, "Time of "+what, got.Time.UnixMilli(), want.Time.UnixMilli())
	check.Equal(mp.ours, "body of "+what, string(got.Body), string(want.Body))
	check.Equal(mp.ours, what, [5]string{got.ID, got.Type, got.Tenant, got.Key, got.Trace},
		[5]string{want.ID, want.Type, want.Tenant, want.Key, want.Trace})
	mp.ours.SameWindow(what, got.Tags, got.NotBefore, got.ExpiresAt,
		&events.Event{Tags: want.Tags, NotBefore: want.NotBefore, ExpiresAt: want.ExpiresAt})
}

func (mp *modelPair) sameDelivery(got, want store.Delivery) {
	what := "of " + want.EventID + " for " + want.SubscriptionID
	mp.sameTime("CreatedAt "+what, got.CreatedAt, want.CreatedAt)
	if now := time.Now(); got.DueAt.IsZero() || got.DueAt.After(now) || want.DueAt.After(now) {
		// since when one is due is the store's choice
		mp.sameTime("DueAt "+what, got.DueAt, want.DueAt)
	}
	mp.sameTime("FinishedAt "+what, got.FinishedAt, want.FinishedAt)
	got.CreatedAt, got.DueAt, got.FinishedAt = want.CreatedAt, want.DueAt, want.FinishedAt
	// What a lease or a pause is of is each store's own.
	got.Wait, got.WaitUntil = want.Wait, want.WaitUntil
	if got != want {
		mp.ours.Errorf("delivery %s: got %+v, want %+v", what, got, want)
	}
}

func (mp *modelPair) sameSub(what string, got, want store.Subscription) {
	mp.ours.SameSubscription(what, got, want)
	mp.sameTime(what+": CreatedAt", got.CreatedAt, want.CreatedAt)
	mp.sameTime(what+": UpdatedAt", got.UpdatedAt, want.UpdatedAt)
	mp.sameTime(what+": SubscribedAt", got.SubscribedAt, want.SubscribedAt)
}

func (mp *modelPair) sameHealth(what string, got, want store.Health) {
	mp.sameTime(what+": NextProbeAt", got.NextProbeAt, want.NextProbeAt)
	if d := got.FailingFor - want.FailingFor; d < -mp.tolerance() || d > mp.tolerance() {
		mp.ours.Errorf("%s: FailingFor: got %v, want %v", what, got.FailingFor, want.FailingFor)
	}
	mp.sameTime(what+": LastFailureAt", got.LastFailureAt, want.LastFailureAt)
	mp.sameTime(what+": HeldUntil", got.HeldUntil, want.HeldUntil)
	mp.sameTime(what+": ThrottledAt", got.Pacing.ThrottledAt, want.Pacing.ThrottledAt)
	got.NextProbeAt, got.FailingFor, got.LastFailureAt = want.NextProbeAt, want.FailingFor,
		want.LastFailureAt
	got.HeldUntil, got.Pacing.ThrottledAt = want.HeldUntil, want.Pacing.ThrottledAt
	check.Equal(mp.ours, what, got, want)
}

// sameTime checks a time that each store has stamped.
func (mp *modelPair) sameTime(what string, got, want time.Time) {
	d := got.Sub(want)
	if got.IsZero() != want.IsZero() || d < -mp.tolerance() || d > mp.tolerance() {
		mp.ours.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// tolerance is how far times may differ that both stores stamped in one operation.
func (mp *modelPair) tolerance() time.Duration {
	if mp.realTime {
		return mp.ours.Skew
	}
	return margin
}
