package boltstore_test

import (
	"os"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest"
)

// scaled returns how much of something a test does: in the short version, and with OUTHOOK_LONG
// set.
func scaled(short, long int) int {
	if os.Getenv("OUTHOOK_LONG") != "" {
		return long
	}
	return short
}

func TestFaultSteps(t *testing.T) {
	open, _ := opener(nil)
	storetest.Steps(t, func(t *testing.T) store.Store {
		return open(t)
	}, scaled(100_000, 1_000_000), nil)
}
