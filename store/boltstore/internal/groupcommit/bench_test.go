package groupcommit_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
)

func BenchmarkSubmit(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			var mu sync.Mutex
			commits := 0
			g := groupcommit.New(groupcommit.Config[*tx]{
				Transact: func(do func(*tx) error) (func(), error) { commits++; return nil, do(nil) },
				Do:       func(x *tx, do func(*tx) error) (bool, error) { return true, do(x) },
				Mu:       &mu, MaxDelay: maxDelay, RideRecords: rideRecords, FlushRecords: flushRecords,
			})
			b.ReportAllocs()
			b.SetParallelism(callers)
			each := func() {
				o := &groupcommit.Op[*tx]{Do: func(*tx) error { return nil }}
				if err := g.Submit(b.Context(), o); err != nil {
					b.Error(err)
				}
			}
			if callers == 1 {
				for b.Loop() {
					each()
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						each()
					}
				})
			}
			b.ReportMetric(float64(b.N)/float64(commits), "ops/commit")
		})
	}
}
