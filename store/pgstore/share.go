package pgstore

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// shareCount is how many shares subscriptions are dealt in. It is in the statements too.
const shareCount = 64

// share is what a replica knows of one of its shares.
type share struct {
	state shareState
	fence int64
	low   uint64 // as it is in the database
	fed   []fed  // while it is loading
}

// fed is a delivery that was published while its share was being loaded.
type fed struct{ num, seq uint64 }

// shareState is how far a share is.
type shareState int

const (
	shareOther   shareState = iota // not this replica's
	shareLoading                   // this replica's, but the schedule does not have it yet
	shareOwned
	shareLeaving // to be given up when the attempts under way have ended: nothing more is claimed of it
)

// held lists the shares whose state is one of those given.
func (m *memory) held(states ...shareState) (ids []int32) {
	for id := range m.shares {
		if slices.Contains(states, m.shares[id].state) {
			ids = append(ids, int32(id))
		}
	}
	return ids
}

// deal says which replica each share should belong to: to the one that has the highest hash with
// it, of those that have fewer than an equal part. All who know the same replicas deal the same,
// and a replica that comes or goes moves little.
func deal(replicas []int64) (owners [shareCount]int64) {
	if len(replicas) == 0 {
		return owners
	}
	most := (shareCount + len(replicas) - 1) / len(replicas)
	count := make(map[int64]int, len(replicas))
	ranked := slices.Clone(replicas)
	for id := range owners {
		slices.SortFunc(ranked, func(a, b int64) int {
			return cmp.Or(cmp.Compare(weight(id, b), weight(id, a)), cmp.Compare(a, b))
		})
		for _, r := range ranked {
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
	x := h.Sum64() // FNV mixes its last bytes little
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// drop forgets what is known of a share. Its leases end.
func (m *memory) drop(id int32) {
	m.shares[id] = share{}
	var gone []*queue
	m.schedule.Subs(func(q *queue) {
		if int32(q.Num%shareCount) == id {
			gone = append(gone, q)
		}
	})
	for _, q := range gone {
		m.schedule.Forget(q)
	}
}

// inFlight returns how many deliveries of a share are leased.
func (m *memory) inFlight(id int32) (n int) {
	m.schedule.Subs(func(q *queue) {
		if int32(q.Num%shareCount) == id {
			n += m.schedule.InFlight(q)
		}
	})
	return n
}

// lows returns how far the low mark of each share of this replica may go: to just before the first
// delivery without a row, and not past a transaction that is under way.
func (m *memory) lows() (lows [shareCount]uint64) {
	limit := m.lastSeq
	for _, floor := range m.floors {
		limit = min(limit, floor)
	}
	for id := range lows {
		lows[id] = limit
	}
	m.schedule.Subs(func(q *queue) {
		if seq, ok := q.ImplicitFirst(); ok {
			low := &lows[q.Num%shareCount]
			*low = min(*low, seq-1)
		}
	})
	return lows
}
