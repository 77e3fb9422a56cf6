package pgstore_test

import (
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest"
)

// TestSizes goes up to 1,001 subscriptions, and to 1,000,000 deliveries with OUTHOOK_LONG=1.
func TestSizes(t *testing.T) {
	leaveToFull(t)
	needServer(t)
	most := 4000
	if long {
		most = 1_000_000
	}
	storetest.Suite{Open: func(t *testing.T) store.Store { return newStore(t) }}.Sizes(t, most)
}
