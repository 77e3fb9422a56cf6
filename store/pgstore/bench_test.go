package pgstore_test

import (
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	needServer(b)
	storetest.Bench(b, func(b *testing.B) store.Store { return newStore(b) })
}
