package groupcommit_test

import (
	"context"
	"errors"
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
	bubble(t, func(t *testing.T, s *storage) {
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
			t.Errorf("%d commits of %d calls by %d callers, want at most %d", got, callers*each, callers, most)
		}
	})
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
			return []*groupcommit.Op[*tx]{s.deferred(1, rideRecords/2), s.deferred(2, rideRecords/2)}
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

// TestLeaveWhileTheHostHasTheStorage has the contexts of operations of each kind end before their
// transaction can begin. They are never done, and one committer waits, however many have left.
func TestLeaveWhileTheHostHasTheStorage(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		release := s.hold()
		const timeout, callers = 100 * time.Millisecond, 50
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		start := time.Now()
		var results []<-chan error
		told := 0
		for i := range callers {
			o := s.deferred(i, i%2)
			o.Ended = func(err error) {
				s.checkLocked("Ended")
				if told++; err != context.DeadlineExceeded {
					t.Errorf("ended with %v, want the context's error", err)
				}
			}
			results = append(results, s.submit(ctx, o))
		}
		before := runtime.NumGoroutine()
		for _, r := range results {
			if err := <-r; err != context.DeadlineExceeded {
				t.Errorf("got error %v, want the context's", err)
			}
		}
		if got := time.Since(start); got != timeout {
			t.Errorf("took %v, want %v", got, timeout)
		}
		synctest.Wait()
		if left := before - runtime.NumGoroutine(); left < callers-2 {
			t.Errorf("%d goroutines of %d callers have ended", left, callers)
		}
		if n := s.group.Waiting(); n != 0 || told != callers {
			t.Errorf("%d are in the queue still, %d of %d were told", n, told, callers)
		}
		stays := s.submit(t.Context(), s.write(callers))
		synctest.Wait()
		waits(t, stays)
		release()
		if err := <-stays; err != nil {
			t.Error(err)
		}
		s.committed([]int{callers})
	})
}

func TestLeaveWhileItIsCommitted(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		ctx, cancel := context.WithCancel(t.Context())
		o := s.write(1)
		var ended []error
		o.Ended = func(err error) { ended = append(ended, err) }
		result := s.submit(ctx, o)
		synctest.Wait() // in the commit
		cancel()
		synctest.Wait()
		want(t, result, context.Canceled)
		s.mu.Lock() // it is called later
		if len(ended) != 0 {
			t.Errorf("ended with %v before its commit has", ended)
		}
		s.mu.Unlock()
		after(commitTime + 1)
		s.committed([]int{1})
		if len(ended) != 1 || ended[0] != nil {
			t.Errorf("ended with %v, want nil, once", ended)
		}
	})
}

func TestContextHasEnded(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		told := false
		o := s.write(1)
		o.Ended = func(error) { told = true }
		if err := s.group.Submit(ctx, o); err != context.Canceled || !told {
			t.Errorf("got error %v, told: %t", err, told)
		}
		s.committed()
	})
}

// spoil returns an operation that fails after it has written.
func (s *storage) spoil(id int) *groupcommit.Op[*tx] {
	o := s.write(id)
	write := o.Do
	o.Do = func(x *tx) error { return errors.Join(write(x), errOp) }
	return o
}

func TestFailedOpsLeaveTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		release := s.hold()
		clean := s.write(2)
		clean.Do = func(*tx) error { return errOp }
		panics := s.write(4)
		panics.Do = func(x *tx) error { x.wrote = true; panic("operation") }
		var results []<-chan error
		for _, o := range []*groupcommit.Op[*tx]{s.write(0), s.spoil(1), clean, s.write(3), panics, s.write(5)} {
			results = append(results, s.submit(t.Context(), o))
			synctest.Wait()
		}
		release()
		after(commitTime + 1)
		s.committed([]int{0, 3, 5})
		for i, r := range results {
			switch i {
			case 1, 2:
				want(t, r, errOp)
			case 4:
				if err := <-r; err == nil {
					t.Error("a panic is not reported")
				}
			default:
				want(t, r, nil)
			}
		}
		if s.tries != 3 { // all, without 1, without 4; what fails before it writes needs no other try
			t.Errorf("%d tries, want 3", s.tries)
		}
	})
}

// TestBetweenTries has the host take the storage between two tries. Those who wait for the second
// can leave, and newcomers are not in it.
func TestBetweenTries(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		again := make(chan struct{})
		begins := 0
		s.begin = func() error {
			if begins++; begins == 2 {
				<-again
			}
			return nil
		}
		release := s.hold()
		ctx, cancel := context.WithCancel(t.Context())
		stays := s.submit(t.Context(), s.write(0))
		synctest.Wait()
		leaves := s.submit(ctx, s.write(1))
		synctest.Wait()
		spoils := s.submit(t.Context(), s.spoil(2))
		synctest.Wait()
		release()
		synctest.Wait()
		want(t, spoils, errOp) // it need not wait for the others
		late := s.submit(t.Context(), s.spoil(3))
		synctest.Wait()
		cancel()
		synctest.Wait()
		want(t, leaves, context.Canceled)
		close(again)
		after(commitTime + 1)
		want(t, stays, nil)
		want(t, late, errOp)
		s.committed([]int{0})
		if s.tries != 3 {
			t.Errorf("%d tries, want 3", s.tries)
		}
	})
}

func TestCommitFails(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(s *storage)
		learnt  int // effects that are called all the same
	}{
		{"it can't begin", func(s *storage) { s.begin = func() error { return errDisk } }, 0},
		{"it is not done", func(s *storage) {
			s.commit = func(func()) (bool, error) { return false, errDisk }
		}, 0},
		{"it is done anyway", func(s *storage) {
			s.commit = func(commit func()) (bool, error) { commit(); return true, errDisk }
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *storage) {
				tt.prepare(s)
				release := s.hold()
				var results []<-chan error
				for i := range 2 {
					o := s.write(i)
					o.Ended = func(err error) {
						if err != errDisk {
							t.Errorf("ended with %v, want the disk's error", err)
						}
					}
					results = append(results, s.submit(t.Context(), o))
				}
				synctest.Wait()
				release()
				for _, r := range results {
					if err := <-r; err != errDisk {
						t.Errorf("got error %v, want the disk's", err)
					}
				}
				if s.learnt != tt.learnt {
					t.Errorf("effects were called %d times, want %d", s.learnt, tt.learnt)
				}
				fresh := newStorage(t)
				s.begin, s.commit = nil, fresh.commit
				if err := s.group.Submit(t.Context(), s.write(2)); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

// TestPanics has each callback panic, on the committer's goroutine. Those concerned get an error,
// and the group goes on.
func TestPanics(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(s *storage, o *groupcommit.Op[*tx])
	}{
		{"begin", func(s *storage, _ *groupcommit.Op[*tx]) { s.begin = func() error { panic("begin") } }},
		{"commit", func(s *storage, _ *groupcommit.Op[*tx]) {
			s.commit = func(func()) (bool, error) { panic("commit") }
		}},
		{"Ended", func(_ *storage, o *groupcommit.Op[*tx]) { o.Ended = func(error) { panic("Ended") } }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *storage) {
				begin, commit := s.begin, s.commit
				o := s.write(0)
				tt.spoil(s, o)
				if err := s.group.Submit(t.Context(), o); err == nil {
					t.Error("the panic is not reported")
				}
				s.begin, s.commit = begin, commit
				if err := s.group.Submit(t.Context(), s.write(1)); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

func TestCloseCommitsWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		start := time.Now()
		result := s.submit(t.Context(), s.deferred(1, 1))
		synctest.Wait()
		if err := s.group.Close(t.Context(), s.write(2)); err != nil {
			t.Error(err)
		}
		want(t, result, nil)
		s.committed([]int{1}, []int{2})
		if got, want := time.Since(start), 2*commitTime; got != want {
			t.Errorf("took %v, want %v", got, want)
		}
		if err := s.group.Submit(t.Context(), s.write(3)); err != errClosed {
			t.Errorf("after Close: got error %v, want %v", err, errClosed)
		}
		if err := s.group.Close(t.Context(), s.write(4)); err != nil {
			t.Error(err)
		}
		s.committed([]int{1}, []int{2})
	})
}

func TestCloseWhileTheHostHasTheStorage(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		release := s.hold()
		var results []<-chan error
		for i := range 4 {
			results = append(results, s.submit(t.Context(), s.deferred(i, i%2)))
		}
		synctest.Wait()
		const bound = 5 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		defer cancel()
		start := time.Now()
		if err := s.group.Close(ctx, s.write(9)); err != context.DeadlineExceeded {
			t.Errorf("Close: got error %v, want the context's", err)
		}
		if got := time.Since(start); got != bound {
			t.Errorf("Close took %v, want %v", got, bound)
		}
		synctest.Wait()
		for _, r := range results {
			want(t, r, errClosed)
		}
		release()
		synctest.Wait()
		s.committed()
	})
}

// TestCloseWaitsForTheDisk has Close's context end while a commit is under way.
func TestCloseWaitsForTheDisk(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		first := s.submit(t.Context(), s.write(1))
		synctest.Wait() // in its commit
		second := s.submit(t.Context(), s.write(2))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), commitTime/2)
		defer cancel()
		_ = s.group.Close(ctx, nil)
		synctest.Wait()
		want(t, first, nil)
		if err := <-second; err != nil && err != errClosed {
			t.Errorf("got error %v", err)
		}
		synctest.Wait()
		if len(s.done) == 0 {
			t.Error("Close has not waited for the commit that was under way")
		}
	})
}

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
			each := func() { _ = g.Submit(b.Context(), &groupcommit.Op[*tx]{Do: func(*tx) error { return nil }}) }
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
