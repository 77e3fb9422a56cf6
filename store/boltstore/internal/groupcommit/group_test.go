package groupcommit_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
)

// bubble runs a test in fake time. A committer that is still there a minute after its end, with
// nothing to do, is a deadlock to synctest: each test shows that there is none, Close or not.
func bubble(t *testing.T, f func(t *testing.T, s *storage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, newStorage(t))
		after(time.Minute)
	})
}

func TestOneAloneIsCommittedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		start := time.Now()
		for i := range 3 {
			if err := s.group.Submit(t.Context(), s.write(i)); err != nil {
				t.Error(err)
			}
		}
		s.committed([]int{0}, []int{1}, []int{2})
		if got, want := time.Since(start), 3*commitTime; got != want {
			t.Errorf("took %v, want %v", got, want)
		}
	})
}

func TestThoseWhoComeMeanwhileShareTheNext(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		var results []<-chan error
		for i := range 5 {
			results = append(results, s.submit(t.Context(), s.write(i)))
			synctest.Wait()
		}
		after(2*commitTime + 1)
		for _, r := range results {
			want(t, r, nil)
		}
		s.committed([]int{0}, []int{1, 2, 3, 4})
	})
}

// TestSiblingsShareCommits has callers that come back as soon as they are woken. Without waiting
// for all of them, half would be in every other commit.
func TestSiblingsShareCommits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // then a yield lets all run, on any machine
	for _, exclusive := range []bool{false, true} {
		t.Run(fmt.Sprintf("exclusive %t", exclusive), func(t *testing.T) {
			bubble(t, func(t *testing.T, _ *storage) {
				s := newStorageThat(t, exclusive)
				const callers, each = 16, 20
				var wg sync.WaitGroup
				for c := range callers {
					wg.Go(func() {
						for i := range each {
							if err := s.group.Submit(t.Context(), s.write(c*each+i)); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				if got, most := len(s.done), each+each/4; got > most {
					t.Errorf("%d commits of %d calls, %d at a time, want at most %d",
						got, callers*each, callers, most)
				}
			})
		})
	}
}

func TestDeferred(t *testing.T) {
	const urgent = 99
	for _, tt := range []struct {
		name   string
		ops    func(s *storage) []*groupcommit.Op[*tx]
		urgent time.Duration // when an urgent one comes; 0 if none does
		done   [][]int
		took   time.Duration // of the last deferred one
	}{
		{"alone", func(s *storage) []*groupcommit.Op[*tx] {
			return []*groupcommit.Op[*tx]{s.deferred(1, 1), s.deferred(2, 1)}
		}, 0, [][]int{{1, 2}}, maxDelay + commitTime},
		{"few let a commit go by", func(s *storage) []*groupcommit.Op[*tx] {
			return []*groupcommit.Op[*tx]{s.deferred(1, rideRecords-1)}
		}, time.Millisecond, [][]int{{urgent}, {1}}, maxDelay + commitTime},
		{"enough ride", func(s *storage) []*groupcommit.Op[*tx] {
			return []*groupcommit.Op[*tx]{s.deferred(1, rideRecords/2),
				s.deferred(2, rideRecords/2)}
		}, time.Millisecond, [][]int{{1, 2, urgent}}, 2 * time.Millisecond},
		{"an awaited one rides alone", func(s *storage) []*groupcommit.Op[*tx] {
			o := s.deferred(1, 1)
			o.NextCommit = true
			return []*groupcommit.Op[*tx]{o, s.deferred(2, 1)}
		}, time.Millisecond, [][]int{{1, urgent}, {2}}, maxDelay + commitTime},
		{"after half of its time it rides", func(s *storage) []*groupcommit.Op[*tx] {
			return []*groupcommit.Op[*tx]{s.deferred(1, 1)}
		}, maxDelay / 2, [][]int{{1, urgent}}, maxDelay/2 + commitTime},
		{"many are committed at once", func(s *storage) []*groupcommit.Op[*tx] {
			return []*groupcommit.Op[*tx]{s.deferred(1, flushRecords-1), s.deferred(2, 1)}
		}, 0, [][]int{{1, 2}}, commitTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *storage) {
				start := time.Now()
				var wg sync.WaitGroup
				for _, o := range tt.ops(s) {
					wg.Go(func() {
						if err := s.group.Submit(t.Context(), o); err != nil {
							t.Error(err)
						}
					})
					synctest.Wait()
				}
				if tt.urgent > 0 {
					after(tt.urgent)
					if err := s.group.Submit(t.Context(), s.write(urgent)); err != nil {
						t.Error(err)
					}
				}
				wg.Wait()
				s.committed(tt.done...)
				if got := time.Since(start); got != tt.took {
					t.Errorf("took %v, want %v", got, tt.took)
				}
			})
		})
	}
}

// TestDeferredAmongUrgent has a deferred operation wait while others are committed all the time.
func TestDeferredAmongUrgent(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				for s.group.Submit(ctx, s.write(i)) == nil {
				}
			})
		}
		start := time.Now()
		if err := s.group.Submit(t.Context(), s.deferred(2, 1)); err != nil {
			t.Error(err)
		}
		if got, most := time.Since(start), maxDelay/2+2*commitTime; got > most {
			t.Errorf("took %v, want at most %v", got, most)
		}
		cancel()
		wg.Wait()
	})
}
