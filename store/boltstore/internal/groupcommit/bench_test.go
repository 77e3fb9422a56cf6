package groupcommit_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
)

func BenchmarkSubmit(b *testing.B) {
	for _, exclusive := range []bool{false, true} {
		for _, callers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("exclusive=%t/callers=%d", exclusive, callers), func(b *testing.B) {
				benchmarkSubmit(b, callers, exclusive)
			})
		}
	}
}

func benchmarkSubmit(b *testing.B, callers int, exclusive bool) {
	var mu sync.Mutex
	commits := 0
	g := groupcommit.New(groupcommit.Config[*tx]{
		Transact: func(do func(*tx) error) (func(), error) {
			commits++
			err := do(nil)
			<-time.After(commitTime / 4) // the disk
			return nil, err
		},
		Do: func(x *tx, do func(*tx) error) (bool, error) { return true, do(x) },
		Mu: &mu, MaxDelay: maxDelay, RideRecords: rideRecords, FlushRecords: flushRecords,
		Exclusive: exclusive,
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
}
