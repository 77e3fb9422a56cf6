package ownership_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/ownership"
)

const shares = memory.Shares

// TestDeal checks that live replicas get equal parts, and that one that comes or goes moves little
// beside its own part.
func TestDeal(t *testing.T) {
	for n := 1; n <= 9; n++ {
		replicas := make([]int64, n)
		for i := range replicas {
			replicas[i] = rand.Int64()
		}
		slices.Sort(replicas)
		with, without := ownership.Deal(replicas), ownership.Deal(replicas[1:])
		count := make(map[int64]int)
		moved := 0
		for id := range with {
			count[with[id]]++
			if with[id] != replicas[0] && with[id] != without[id] {
				moved++
			}
		}
		for r, got := range count {
			if most := (shares + n - 1) / n; got > most {
				t.Errorf("%d replicas: %d has %d shares, want at most %d", n, r, got, most)
			}
		}
		// Equal parts must be filled up; without that, none would move.
		if moved > shares/4 {
			t.Errorf("%d replicas, and one goes: %d shares of the others move, want at most %d",
				n, moved, shares/4)
		}
	}
	if got := ownership.Deal(nil); got != [shares]int64{} {
		t.Errorf("without replicas: got %v, want nobody", got)
	}
}
