package show_test

import (
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/show"
)

// Each quota is called what it is: a redelivery is no poll, and nothing pending is "a minute".
func TestQuotaText(t *testing.T) {
	seen := make(map[string]dispatcher.QuotaKind)
	for kind, want := range map[dispatcher.QuotaKind]string{
		dispatcher.QuotaSubscriptions:     "1,000 webhooks",
		dispatcher.QuotaSubscriptionBytes: "1,000 bytes for one webhook",
		dispatcher.QuotaPending:           "1,000 pending deliveries",
		dispatcher.QuotaPings:             "1,000 tests a minute",
		dispatcher.QuotaSubscriptionPings: "1,000 tests a minute",
		dispatcher.QuotaReplays:           "1,000 redeliveries and replays a minute",
		dispatcher.QuotaHostProofs:        "asked to agree as often as it may be, which is 1,000 times",
		dispatcher.QuotaPolls:             "1,000 polls at once",
		"another":                         "A bound of 1,000 is reached.",
	} {
		e := &dispatcher.QuotaError{Kind: kind, Limit: 1000, RetryAfter: 1500 * time.Millisecond}
		got := show.QuotaText(e)
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", kind, got, want)
		}
		if other, twice := seen[got]; twice && kind != dispatcher.QuotaPings &&
			kind != dispatcher.QuotaSubscriptionPings {
			t.Errorf("%s and %s have one text, %q", kind, other, got)
		}
		seen[got] = kind
		rate := kind != dispatcher.QuotaSubscriptions && kind != dispatcher.QuotaSubscriptionBytes &&
			kind != dispatcher.QuotaPending // for these nobody knows when there is room
		if strings.Contains(got, "Try again in 2s.") != rate {
			t.Errorf("%s: got %q; says when to try again: want %t", kind, got, rate)
		}
	}
}
