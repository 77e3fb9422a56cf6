package listing_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/listing"
)

// TestBreakages shows that the rules and the comparison catch stores that break them.
func TestBreakages(t *testing.T) {
	broken.Test(t, listing.Groups(),
		slices.Concat(pageBreakages(), subscriptionsBreakages(), waitBreakages()),
		map[string]string{
			"takes Until as included":                  "times of the two stores differ",
			"takes any filter":                         "it asks for nothing that is refused",
			"ends a listing with a page that is short": "it has too little for a short page",
			"skips what follows a short page":          "it has too little for a short page",
			"calls a lower bound a total":              "it has too little for a lower bound",
			"counts all events in its cursors":         "it does not look into cursors",
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
		})
}
