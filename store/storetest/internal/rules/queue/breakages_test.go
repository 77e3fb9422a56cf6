package queue_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/queue"
)

// TestBreakages shows that the rules and the comparison catch stores that break them.
func TestBreakages(t *testing.T) {
	broken.Test(t, queue.Groups(),
		slices.Concat(claimBreakages(), enqueueBreakages(), fairnessBreakages(), historyBreakages(),
			pauseBreakages()), map[string]string{
			"probes one failure late": "its claims have no BreakerThreshold",
			"waits for nothing":       "a NextDue that is too short does no harm there",
			"knows whom it pauses":    "it pauses nobody else",

			"does not count what is leased elsewhere": "its claims have nothing elsewhere",
			"does not say what is leased":             "it does not look at Leased",
		})
}
