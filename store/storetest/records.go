package storetest

import (
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// sameSubscription checks everything of a subscription but its times, which are the store's.
func (c *check) sameSubscription(what string, got, want store.Subscription) {
	same := got.ID == want.ID && got.Tenant == want.Tenant && got.Name == want.Name && got.URL == want.URL &&
		slices.Equal(got.Events, want.Events) && maps.Equal(got.Headers, want.Headers) &&
		slices.Equal(got.Secrets, want.Secrets) && got.OverlapUntil.Equal(want.OverlapUntil) &&
		got.Status == want.Status && got.DisabledReason == want.DisabledReason
	if !same {
		c.errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// sameTimes checks the times of a subscription.
func (c *check) sameTimes(what string, got, want store.Subscription) {
	same := got.CreatedAt.Equal(want.CreatedAt) && got.UpdatedAt.Equal(want.UpdatedAt) &&
		got.SubscribedAt.Equal(want.SubscribedAt)
	if !same {
		c.errorf("%s: got times %v, %v, %v, want %v, %v, %v", what, got.CreatedAt, got.UpdatedAt, got.SubscribedAt,
			want.CreatedAt, want.UpdatedAt, want.SubscribedAt)
	}
}

// sameAttempt checks an attempt.
func (c *check) sameAttempt(what string, got, want store.Attempt) {
	same := got.Number == want.Number && got.At.UnixMilli() == want.At.UnixMilli() &&
		got.Duration.Milliseconds() == want.Duration.Milliseconds() && got.Status == want.Status &&
		got.Error == want.Error && string(got.Response) == string(want.Response)
	if !same {
		c.errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// sameClock returns h so that it can be compared: a time that has been stored and read again may have lost its
// monotonic clock and its location.
func sameClock(h store.Health) store.Health {
	for _, at := range []*time.Time{&h.NextProbeAt, &h.LastFailureAt, &h.HeldUntil, &h.Pacing.ThrottledAt} {
		if !at.IsZero() {
			*at = time.UnixMicro(at.UnixMicro())
		}
	}
	return h
}

// timeless returns h without the time of its last failure.
func timeless(h store.Health) store.Health {
	h.LastFailureAt = time.Time{}
	return h
}

// sameDelivery checks a delivery.
func (c *check) sameDelivery(what string, got, want store.Delivery) {
	sameTimes := got.CreatedAt.Equal(want.CreatedAt) && got.DueAt.Equal(want.DueAt) &&
		got.FinishedAt.Equal(want.FinishedAt)
	got.CreatedAt, got.DueAt, got.FinishedAt = want.CreatedAt, want.DueAt, want.FinishedAt
	if !sameTimes || got != want {
		c.errorf("%s: got %+v, want %+v (times the same: %t)", what, got, want, sameTimes)
	}
}
