package outcomes_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/outcomes"
)

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
		})
}
