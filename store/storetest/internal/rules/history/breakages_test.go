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
		slices.Concat(eraseBreakages(), historyBreakages(), subscriptionsBreakages(),
			windowBreakages(), countPendingBreakages(), eventBreakages(), eventIDBreakages(),
			waitBreakages()), map[string]string{
			"takes Until as included": "times of the two stores differ",

			"takes any filter": "it asks for nothing that is refused",

			"ends a listing with a page that is short": "it has too little for a short page",
			"skips what follows a short page":          "it has too little for a short page",
			"calls a lower bound a total":              "it has too little for a lower bound",
			"requeues all in one step":                 "it takes all steps",
			"replays the newest first":                 "it takes all steps",
			"names one that is held twice":             "it asks who is held, over all steps",
			"erases all in one step":                   "it takes all steps",
			"erases events that are not there":         "whether they are is the store's choice there",
			"counts all events in its cursors":         "it does not look into cursors",
			"stops pruning early":                      "it has too little to prune",
			"calls what has ended due":                 "what it waits for is not compared",
			"knows no lease":                           "what it waits for is not compared",
			"knows no retry":                           "what it waits for is not compared",
			"knows no key":                             "what it waits for is not compared",
			"knows no pause":                           "what it waits for is not compared",
			"knows no hold":                            "what it waits for is not compared",
			"knows no breaker":                         "what it waits for is not compared",
			"knows no Paused":                          "what it waits for is not compared",
			"says no time":                             "what it waits for is not compared",
			"does not say how far it has searched":     "it has too little for a short page",
			"an event whose body is shared":            "it changes no body",
			"an event of another tenant":               "it has no event ID of two tenants",
			"an event that is not there is empty":      "it reads events that are there",
			"an event that outlives Prune":             "it reads events that are there",
			"an event that outlives its subscriptions": "it reads events that are there",
		})
}
