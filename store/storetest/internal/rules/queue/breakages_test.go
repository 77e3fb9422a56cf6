package queue_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/queue"
)

// TestBreakages shows that the rules and the comparison catch stores that break them.
func TestBreakages(t *testing.T) {
	blind := map[string]string{
		"waits for nothing":    "a NextDue that is too short does no harm there",
		"knows whom it pauses": "it pauses nobody else",

		"does not count what is leased elsewhere": "its claims have nothing elsewhere",
		"does not say what is leased":             "it does not look at Leased",
	}
	const choice = "which subscription of a class comes first is the store's choice there"
	for _, name := range []string{
		"takes turns by subscription, and not by tenant",
		"counts leases, and not the time they take",
	} {
		blind[name] = choice
	}
	blind["hands out what the breaker held back in reverse"] = "so is the order of retries"
	for _, br := range throttleBreakages() {
		switch {
		case br.Rule == "throttle/refused", br.Rule == "throttle/none":
		case br.Name != "does not halve the limit":
			blind[br.Name] = "it throttles nothing"
		}
	}
	broken.Test(t, queue.Groups(),
		slices.Concat(claimBreakages(), fairnessBreakages(), historyBreakages(), pauseBreakages(),
			shareBreakages(), probeBreakages(), throttleBreakages()), blind)
}
