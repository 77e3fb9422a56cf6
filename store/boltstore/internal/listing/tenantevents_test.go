package listing

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
)

// twoTenants returns a file with n events, of which tenant b has each third and tenant a the rest,
// and the numbers of those of a. The fourth event is damaged.
func twoTenants(t *testing.T, n int) (f *txntest.File, ofA []uint64) {
	t.Helper()
	f = txntest.New(t)
	f.Subscribe("sub-a", "a")
	f.Subscribe("sub-b", "b")
	for i := range n {
		seq := f.Enqueue(fmt.Sprint(i), []string{"a", "a", "b"}[i%3], "")
		if i%3 != 2 && seq != 4 {
			ofA = append(ofA, seq)
		}
	}
	key := record.Key1(4)
	f.Damage(buckets.Events, key[:])
	return f, ofA
}

// TestLogSearch finds the events of a tenant in the log, a step at a time, also with a clock that
// is always too late for a transaction to go on.
func TestLogSearch(t *testing.T) {
	const n = 60
	for _, tick := range []time.Duration{0, time.Second} {
		x, want := twoTenants(t, n)
		var got []uint64
		steps, reads := 0, 0
		for from, full := uint64(0), true; full; steps++ {
			s := logSearch{
				EventQuery: &EventQuery{Tenant: "a", Limit: 7, Deliveries: 100}, from: from,
			}
			for more := true; more; reads++ {
				if reads > 10*n {
					t.Fatal("the search has no end")
				}
				x.Tick = int64(tick)
				x.View(func(t *txn.Tx) error {
					more = s.read(t)
					return nil
				})
				x.Tick = 0
			}
			got, from, full = append(got, s.seqs...), s.from, s.full
		}
		if !slices.Equal(got, want) || steps != (len(want)+6)/7 || (reads > steps) != (tick > 0) {
			t.Errorf("tick %v: found %v in %d steps and %d transactions, want %v", tick, got, steps,
				reads, want)
		}
	}
}
