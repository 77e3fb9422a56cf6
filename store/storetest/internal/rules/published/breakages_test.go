package published_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/published"
)

// TestBreakages shows that the rules and the comparison catch stores that break them.
func TestBreakages(t *testing.T) {
	blind := make(map[string]string)
	for _, br := range laterBreakages() {
		blind[br.Name] = "nothing waits or expires there"
	}
	broken.Test(t, published.Groups(),
		slices.Concat(enqueueBreakages(), laterBreakages(), tagBreakages()), blind)
}
