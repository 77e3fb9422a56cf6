package ownership

import (
	"cmp"
	"hash/fnv"
	"slices"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
)

// Deal says which replica each share should belong to: to the one that has the highest hash with
// it, of those that have fewer than an equal part. All who know the same replicas deal the same,
// and a replica that comes or goes moves little.
//
// Without the bound on each replica's part, hashes alone would give some replicas far more than
// others.
func Deal(replicas []int64) (owners [memory.Shares]int64) {
	if len(replicas) == 0 {
		return owners
	}
	// Rounded up, so that there is room for all shares.
	most := (memory.Shares + len(replicas) - 1) / len(replicas)
	count := make(map[int64]int, len(replicas))
	ranked := slices.Clone(replicas)
	for id := range owners {
		slices.SortFunc(ranked, func(a, b int64) int {
			// The number decides between equal hashes: all must come to the same.
			return cmp.Or(cmp.Compare(weight(id, b), weight(id, a)), cmp.Compare(a, b))
		})
		for _, r := range ranked {
			// The first with room. What is dealt so depends on the shares before, which all deal in
			// the same order.
			if count[r] < most {
				owners[id] = r
				count[r]++
				break
			}
		}
	}
	return owners
}

// weight is the hash of a share and a replica.
func weight(share int, replica int64) uint64 {
	h := fnv.New64a()
	var b [9]byte
	b[0] = byte(share)
	for i := range 8 {
		b[1+i] = byte(replica >> (8 * i))
	}
	h.Write(b[:])
	// FNV mixes its last bytes little, and only the order of the hashes counts here.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}
