package subscriptions_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/subscriptions"
)

// TestBreakages shows that the rules and the comparison catch stores that break them.
func TestBreakages(t *testing.T) {
	broken.Test(t, subscriptions.Groups(),
		slices.Concat(enqueueBreakages(), subscriptionsBreakages()), map[string]string{
			"says when it changed to the minute": "times are not compared: each store has its clock",
			"forgets what seals a subscription":  "nothing of it is sealed",
			"claims as if nothing was sealed":    "nothing of it is sealed",
			"begins with the newest":             "it asks for no last page",
		})
}
