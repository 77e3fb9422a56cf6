package show_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// A list that asks the store for the statuses of a state misses none that is in it.
func TestStatusesOfStates(t *testing.T) {
	subs := []store.Subscription{
		{Status: store.Subscribed}, {Status: store.Paused}, {Status: store.Unsubscribed},
		{Status: store.Unverified}, {Status: store.Unverified, SealedWith: "k"},
		{Status: store.Unsubscribed, DisabledReason: "410"},
		{Status: store.Subscribed, SealedWith: "k"}, {Status: store.Paused, SealedWith: "k"},
		{Status: store.Unsubscribed, DisabledReason: "410", SealedWith: "k"},
	}
	for i := range subs {
		subs[i].URL = "https://e.example/"
	}
	subs = append(subs, store.Subscription{Status: store.Subscribed}) // read by poll
	stats := []dispatcher.SubscriptionStats{
		{New: true}, {}, {Day: store.AttemptStats{Delivered: 3}}, {Failures: 2},
		{Failures: 12, Breaker: dispatcher.BreakerOpen}, {Pace: 5 * show.SlowPace},
	}
	seen := make(map[string]bool)
	for i := range subs {
		for j := range stats {
			state := show.WebhookState(&subs[i], &stats[j])
			seen[state.Word] = true
			if !slices.Contains(show.WebhookStates(), state.Word) {
				t.Errorf("%+v: the list has no filter for %s", subs[i], state.Word)
			}
			statuses := show.Statuses(state.Word)
			if len(statuses) > 0 && !slices.Contains(statuses, subs[i].Status) {
				t.Errorf("%s is not among those that %s is looked for in", subs[i].Status, state.Word)
			}
		}
	}
	for _, word := range show.WebhookStates() {
		if !seen[word] {
			t.Errorf("no webhook is %s", word)
		}
	}
}
