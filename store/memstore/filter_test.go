package memstore_test

import (
	"testing"

	"github.com/outhook/outhook/store/internal/asking/askingtest"
	"github.com/outhook/outhook/store/memstore"
)

// TestNoFilterIsAskedWithTheLock: everybody else would wait for it.
func TestNoFilterIsAskedWithTheLock(t *testing.T) {
	askingtest.StoresNothingUnasked(t, memstore.New())
}
