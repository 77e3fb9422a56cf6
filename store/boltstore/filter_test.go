package boltstore_test

import (
	"testing"

	"github.com/outhook/outhook/store/internal/asking/askingtest"
)

// TestNoFilterIsAskedInATransaction: everybody else would wait for it.
func TestNoFilterIsAskedInATransaction(t *testing.T) {
	askingtest.StoresNothingUnasked(t, create(t, nil))
}
