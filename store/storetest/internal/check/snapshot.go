package check

import (
	"fmt"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/detail"
)

// Snapshot returns all that can be read of the store, a line for each record, but for what changes
// by itself as time passes. Two snapshots are the same when nothing was changed between them.
func (c *Driver) Snapshot() []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{AnyTenant: true})
	c.Must("Subscriptions", err)
	for i := range page.Items {
		listed := describeSubscription(&page.Items[i])
		add("listed %s", listed)
		sub, err := c.Store.Subscription(c.Ctx(), page.Items[i].ID)
		c.Must("Subscription", err)
		if got := describeSubscription(&sub); got != listed {
			c.Errorf("Subscription and Subscriptions of %s: got %s and %s, want the same", sub.ID,
				got, listed)
		}
		add("figures of %s: %s", sub.ID, describeStats(c.Stats(sub.ID)))
	}
	add("figures: %s", describeStats(c.Stats("")))
	for _, d := range c.Everything() {
		add("delivery %s to %s, %s: %s, %d attempts, due %v, finished %v, last %d %q, erased %t",
			d.EventID,
			d.SubscriptionID, d.EventType, d.State, d.Attempts, d.DueAt.UnixMicro(),
			d.FinishedAt.UnixMicro(),
			d.LastStatus, d.LastError, d.Erased)
		for _, a := range c.Attempts(store.Lease{SubscriptionID: d.SubscriptionID,
			EventID: d.EventID}) {
			add("  attempt %d at %v: %v, %d %q %q %q", a.Number, a.At.UnixMilli(), a.Duration,
				a.Status, a.Error, a.Response, detail.Append(nil, a.Detail))
		}
	}
	return lines
}

func describeSubscription(s *store.Subscription) string {
	return fmt.Sprintf("%s of %q, %q at %s, %q, %v, %d keys, overlap %v, %s %q, times %v %v %v, "+
		"%q, metadata %v, filter %q of %q, rate %v, timeout %v, verified %v, "+
		"needs proof %t, allowed rate %v",
		s.ID, s.Tenant, s.Name,
		s.URL, s.Events, s.Headers, len(s.Secrets), s.OverlapUntil.UnixMicro(), s.Status,
		s.DisabledReason,
		s.CreatedAt.UnixMicro(), s.UpdatedAt.UnixMicro(), s.SubscribedAt.UnixMicro(),
		s.Description, s.Metadata, s.Filter, s.Fields, s.Rate, s.Timeout, s.VerifiedAt.UnixMicro(),
		s.NeedsProof, s.AllowedRate)
}

func describeStats(s store.Stats) string {
	return fmt.Sprintf("%d subscriptions, %d pending, %d in flight, oldest %v, "+
		"health %+v, failing since %v",
		s.Subscriptions, s.Pending, s.InFlight, s.OldestPending.UnixMicro(), SameClock(s.Health),
		s.FailingSince.UnixMicro())
}

// Unchanged checks that the store is as it was.
func Unchanged(c *Driver, what string, before []string) {
	after := c.Snapshot()
	for i := range max(len(before), len(after)) {
		var b, a string
		if i < len(before) {
			b = before[i]
		}
		if i < len(after) {
			a = after[i]
		}
		if a != b {
			c.Errorf("%s: got %s, want %s", what, strings.TrimSpace(a), strings.TrimSpace(b))
			return
		}
	}
}
