package outcomes_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/outcomes"
)

// noFigures is why the comparison notices nothing that is wrong with figures alone: what was counted
// just before its subscription was deleted may be missing in one store and not in the other.
const noFigures = "it does not ask for figures"

// TestBreakages shows that the rules and the comparison catch stores that break them.
func TestBreakages(t *testing.T) {
	broken.Test(t, outcomes.Groups(),
		slices.Concat(bodyBreakages(), claimBreakages(), enqueueBreakages(), finishBreakages(),
			historyBreakages(), windowBreakages(), figuresBreakages()), map[string]string{
			"never says that it is ready":     "it does not wait",
			"does not say that it may probe":  "it does not wait",
			"keeps an override that is over":  "it meets no delivery whose override ends",
			"does not say that there is room": "it does not wait",
			"keeps a reference to a body":     "it does not change what it gives",

			"figures of a tenant are of all":             noFigures,
			"figures have no answers":                    noFigures,
			"all are in the last minute":                 noFigures,
			"figures reach back a day":                   noFigures,
			"figures of all are of those that are there": noFigures,
			"takes any resolution":                       noFigures,
		})
}
