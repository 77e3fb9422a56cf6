package storetest

import (
	"fmt"
	"strings"

	"github.com/outhook/outhook/store"
)

// snapshot returns all that can be read of the store, a line for each record, but for what changes by itself as time
// passes. Two snapshots are the same when nothing was changed between them.
func (c *check) snapshot() []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{AnyTenant: true})
	c.must("Subscriptions", err)
	for i := range page.Items {
		listed := describeSubscription(&page.Items[i])
		add("listed %s", listed)
		sub, err := c.store.Subscription(c.ctx, page.Items[i].ID)
		c.must("Subscription", err)
		if got := describeSubscription(&sub); got != listed {
			c.errorf("Subscription and Subscriptions of %s: got %s and %s, want the same", sub.ID, got, listed)
		}
		add("figures of %s: %s", sub.ID, describeStats(c.stats(sub.ID)))
	}
	add("figures: %s", describeStats(c.stats("")))
	for _, d := range c.everything() {
		add("delivery %s to %s, %s: %s, %d attempts, due %v, finished %v, last %d %q, erased %t", d.EventID,
			d.SubscriptionID, d.EventType, d.State, d.Attempts, d.DueAt.UnixMicro(), d.FinishedAt.UnixMicro(),
			d.LastStatus, d.LastError, d.Erased)
		for _, a := range c.attempts(store.Lease{SubscriptionID: d.SubscriptionID, EventID: d.EventID}) {
			add("  attempt %d at %v: %v, %d %q %q", a.Number, a.At.UnixMilli(), a.Duration, a.Status, a.Error, a.Response)
		}
	}
	return lines
}

func describeSubscription(s *store.Subscription) string {
	return fmt.Sprintf("%s of %q, %q at %s, %q, %v, %d keys, overlap %v, %s %q, times %v %v %v", s.ID, s.Tenant, s.Name,
		s.URL, s.Events, s.Headers, len(s.Secrets), s.OverlapUntil.UnixMicro(), s.Status, s.DisabledReason,
		s.CreatedAt.UnixMicro(), s.UpdatedAt.UnixMicro(), s.SubscribedAt.UnixMicro())
}

func describeStats(s store.Stats) string {
	return fmt.Sprintf("%d subscriptions, %d pending, %d in flight, oldest %v, health %+v, failing since %v",
		s.Subscriptions, s.Pending, s.InFlight, s.OldestPending.UnixMicro(), sameClock(s.Health),
		s.FailingSince.UnixMicro())
}

// unchanged checks that the store is as it was.
func (c *check) unchanged(what string, before []string) {
	after := c.snapshot()
	for i := range max(len(before), len(after)) {
		var b, a string
		if i < len(before) {
			b = before[i]
		}
		if i < len(after) {
			a = after[i]
		}
		if a != b {
			c.errorf("%s: got %s, want %s", what, strings.TrimSpace(a), strings.TrimSpace(b))
			return
		}
	}
}
