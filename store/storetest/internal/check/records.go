package check

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/detail"
)

// SameSubscription checks everything of a subscription but its times, which are the store's.
func (c *Check) SameSubscription(what string, got, want store.Subscription) {
	same := got.ID == want.ID && got.Tenant == want.Tenant && got.Name == want.Name &&
		got.URL == want.URL &&
		slices.Equal(got.Events, want.Events) && maps.Equal(got.Headers, want.Headers) &&
		slices.Equal(got.Secrets, want.Secrets) && got.OverlapUntil.Equal(want.OverlapUntil) &&
		got.Status == want.Status && got.DisabledReason == want.DisabledReason &&
		sameSettings(&got, &want)
	if !same {
		c.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// sameSettings reports whether two subscriptions have the same of what few have.
func sameSettings(got, want *store.Subscription) bool {
	return got.Description == want.Description && maps.Equal(got.Metadata, want.Metadata) &&
		got.Filter == want.Filter && slices.Equal(got.Fields, want.Fields) &&
		got.Rate == want.Rate && got.Timeout == want.Timeout && got.VerifiedAt.Equal(want.VerifiedAt) &&
		got.NeedsProof == want.NeedsProof && got.AllowedRate == want.AllowedRate
}

// WithSettings sets all on a subscription that few have.
func WithSettings(sub *store.Subscription) {
	sub.Description = "Grüße\nfrom \"here\""
	sub.Metadata = map[string]string{"team": "billing", "a.b-c_D9": "größer = <5>", "empty": ""}
	sub.Filter = `{"order.total":{"$gte":1e2}}`
	sub.Fields = []string{"order.id", "order.total", "größe"}
	sub.Rate, sub.Timeout = 0.1, 2500*time.Millisecond
	sub.VerifiedAt = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	sub.NeedsProof, sub.AllowedRate = true, 0.75
}

// SameWindow checks the tags of an event, and its times, to the millisecond.
func (c *Check) SameWindow(
	what string, tags []string, notBefore, expiresAt time.Time, want *events.Event,
) {
	if !slices.Equal(tags, events.SortedTags(want.Tags)) ||
		!notBefore.Equal(events.Millisecond(want.NotBefore)) ||
		!expiresAt.Equal(events.Millisecond(want.ExpiresAt)) {
		c.Errorf("%s: got tags %q from %v to %v, want %q from %v to %v", what, tags, notBefore,
			expiresAt, events.SortedTags(want.Tags), want.NotBefore, want.ExpiresAt)
	}
}

// SameTimes checks the times of a subscription.
func (c *Check) SameTimes(what string, got, want store.Subscription) {
	same := got.CreatedAt.Equal(want.CreatedAt) && got.UpdatedAt.Equal(want.UpdatedAt) &&
		got.SubscribedAt.Equal(want.SubscribedAt)
	if !same {
		c.Errorf("%s: got times %v, %v, %v, want %v, %v, %v", what, got.CreatedAt, got.UpdatedAt,
			got.SubscribedAt,
			want.CreatedAt, want.UpdatedAt, want.SubscribedAt)
	}
}

// SameAttempt checks an attempt.
func (c *Check) SameAttempt(what string, got, want store.Attempt) {
	same := got.Number == want.Number && got.At.UnixMilli() == want.At.UnixMilli() &&
		got.Duration.Milliseconds() == want.Duration.Milliseconds() && got.Status == want.Status &&
		got.Error == want.Error && string(got.Response) == string(want.Response)
	if !same {
		c.Errorf("%s: got %+v, want %+v", what, got, want)
	}
	c.SameDetail(what, got.Detail, want.Detail)
}

// SameDetail checks the detail of an attempt, which may be nil.
func (c *Check) SameDetail(what string, got, want *store.AttemptDetail) {
	if string(detail.Append(nil, got)) != string(detail.Append(nil, want)) {
		c.Errorf("%s: got the detail %+v, want %+v", what, got, want)
	}
}

// SameClock returns h so that it can be compared: a time that has been stored and read again may
// have lost its monotonic clock and its location.
func SameClock(h store.Health) store.Health {
	for _, at := range []*time.Time{&h.NextProbeAt, &h.LastFailureAt, &h.HeldUntil,
		&h.Pacing.ThrottledAt} {
		if !at.IsZero() {
			*at = time.UnixMicro(at.UnixMicro())
		}
	}
	return h
}

// Timeless returns h without the time of its last failure.
func Timeless(h store.Health) store.Health {
	h.LastFailureAt = time.Time{}
	return h
}

// SameDelivery checks a delivery.
func (c *Check) SameDelivery(what string, got, want store.Delivery) {
	sameTimes := got.CreatedAt.Equal(want.CreatedAt) && got.DueAt.Equal(want.DueAt) &&
		got.FinishedAt.Equal(want.FinishedAt) && got.NotBefore.Equal(want.NotBefore) &&
		got.ExpiresAt.Equal(want.ExpiresAt)
	got.CreatedAt, got.DueAt, got.FinishedAt = want.CreatedAt, want.DueAt, want.FinishedAt
	got.NotBefore, got.ExpiresAt = want.NotBefore, want.ExpiresAt
	got.Wait, got.WaitUntil = want.Wait, want.WaitUntil // they change with time
	if !sameTimes || got != want {
		c.Errorf("%s: got %+v, want %+v (times the same: %t)", what, got, want, sameTimes)
	}
}

// SameIDs checks a list of event IDs, in order.
func (c *Check) SameIDs(what string, got, want []string) {
	if g, w := strings.Join(got, " "), strings.Join(want, " "); g != w {
		c.Errorf("%s: got [%s], want [%s]", what, g, w)
	}
}
