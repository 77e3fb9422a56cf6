package history_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/history"
)

// TestBreakages shows that the rules and the comparison catch stores that break them.
func TestBreakages(t *testing.T) {
	broken.Test(t, history.Groups(),
		slices.Concat(eraseBreakages(), historyBreakages(), windowBreakages(),
			countPendingBreakages(), eventBreakages(), eventIDBreakages()), map[string]string{
			"requeues all in one step":                 "it takes all steps",
			"replays the newest first":                 "it takes all steps",
			"names one that is held twice":             "it asks who is held, over all steps",
			"erases all in one step":                   "it takes all steps",
			"erases events that are not there":         "whether they are is the store's choice there",
			"stops pruning early":                      "it has too little to prune",
			"an event whose body is shared":            "it changes no body",
			"an event of another tenant":               "it has no event ID of two tenants",
			"an event that is not there is empty":      "it reads events that are there",
			"an event that outlives Prune":             "it reads events that are there",
			"an event that outlives its subscriptions": "it reads events that are there",
		})
}
