package boltstore_test

import (
	"os"
	"testing"

	"github.com/outhook/outhook/store/storetest"
)

// TestSizes goes up to just above 64 Ki pending deliveries, and to 1,000,000 with OUTHOOK_LONG=1.
func TestSizes(t *testing.T) {
	most := 66_000
	if os.Getenv("OUTHOOK_LONG") != "" {
		most = 1_000_000
	} else if testing.Short() {
		most = 4000
	}
	open, _ := opener(nil)
	storetest.Suite{Open: open}.Sizes(t, most)
}
