package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/events"
)

// Statuses lists the statuses that a subscription may have.
func Statuses() []Status { return []Status{Subscribed, Paused, Unverified, Unsubscribed} }

// MaxQueryText is how long the Text of a query may be, in bytes: as long as a URL.
const MaxQueryText = 2048

// SubscriptionQuery selects subscriptions. Its zero value selects all of the tenant "".
//
// Statuses, Text, EventType and Metadata are filters. No store has an index for them: it passes
// over what they do not select, and reads a bounded number of records for one page. So a page of a
// query with a filter may be shorter than its Limit, or empty, and still have a cursor; and it has
// no Total, which is 0 with TotalIsLowerBound.
type SubscriptionQuery struct {
	Tenant    string // only this tenant's
	AnyTenant bool   // every tenant's; Tenant is ignored

	Statuses  []Status // only those with one of them; if empty, with any
	EventType string   // only those whose Events take this type (events.Wants); if empty, all

	// Metadata selects those whose Metadata has each of these entries. If empty, all.
	Metadata map[string]string

	// Text selects those that have it in their Name, their Description or in their URL before the
	// query string, no matter which letters are capital, as strings.ToLower has it. A query string
	// is not searched, since it may hold a secret, nor is anything that package sealed seals. If
	// empty, all. It has at most MaxQueryText bytes.
	Text string

	Cursor string // the Next or Previous of an earlier Page; if empty, from the oldest

	// Limit is how many at most, up to MaxLimit. If zero, all; of a query with a filter
	// DefaultDeliveryLimit.
	Limit int
}

// Filtered reports whether the query has a filter.
func (q *SubscriptionQuery) Filtered() bool {
	return len(q.Statuses) > 0 || q.Text != "" || q.EventType != "" || len(q.Metadata) > 0
}

// Selects reports whether the filters of the query select a subscription. It does not look at the
// tenant. Of s it needs the Status, the Name, the Description, the Metadata, the URL and the
// Events.
func (q *SubscriptionQuery) Selects(s *Subscription) bool {
	if len(q.Statuses) > 0 && !slices.Contains(q.Statuses, s.Status) {
		return false
	}
	if q.EventType != "" && !events.Wants(s.Events, q.EventType) {
		return false
	}
	for key, value := range q.Metadata {
		if has, ok := s.Metadata[key]; !ok || has != value {
			return false
		}
	}
	if q.Text == "" {
		return true
	}
	text := strings.ToLower(q.Text)
	url, _, _ := strings.Cut(s.URL, "?")
	return strings.Contains(strings.ToLower(s.Name), text) ||
		strings.Contains(strings.ToLower(s.Description), text) ||
		strings.Contains(strings.ToLower(url), text)
}

// Validate returns an [events.InvalidError] for the first field of q that is out of its bounds:
// limit must be from 0 to MaxLimit, each of statuses one of Statuses, text have at most
// MaxQueryText bytes, event_type be empty or valid, and metadata be bounded like that of a
// subscription. The store itself checks the cursor.
func (q *SubscriptionQuery) Validate() error {
	if err := validLimit("limit", q.Limit, "all"); err != nil {
		return err
	}
	for _, s := range q.Statuses {
		if !slices.Contains(Statuses(), s) {
			return invalid("statuses", "has %q; give one or more of %s", s, listed(Statuses()))
		}
	}
	if len(q.Text) > MaxQueryText {
		return invalid("text", "has %d bytes; give at most %d", len(q.Text), MaxQueryText)
	}
	if q.EventType != "" && events.ValidateType(q.EventType) != nil {
		return invalid("event_type", "is no event type; give one such as message.created")
	}
	return validMetadata(q.Metadata)
}

// listed writes values for a message.
func listed[T ~string](values []T) string {
	var quoted []string
	for _, v := range values {
		quoted = append(quoted, fmt.Sprintf("%q", string(v)))
	}
	return strings.Join(quoted, ", ")
}
