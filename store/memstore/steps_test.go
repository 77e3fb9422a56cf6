package memstore_test

import (
	"os"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/storetest"
)

func TestFaultSteps(t *testing.T) {
	n := 100_000
	if os.Getenv("OUTHOOK_LONG") != "" {
		n = 1_000_000
	}
	storetest.Steps(t, func(*testing.T) store.Store { return memstore.New() }, n, nil)
}
