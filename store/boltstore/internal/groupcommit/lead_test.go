package groupcommit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
)

// TestWhoCommits has one operation at a time. Its caller commits it itself if nobody else uses the
// storage and it is due when it arrives.
func TestWhoCommits(t *testing.T) {
	for _, tt := range []struct {
		name      string
		exclusive bool
		records   int
		self      bool
	}{
		{"urgent", true, 0, true},
		{"enough records", true, flushRecords, true},
		{"few records, for which a timer comes", true, 1, false},
		{"urgent in a host's storage", false, 0, false},
		{"enough records in a host's storage", false, flushRecords, false},
	} {
		for _, ctx := range []context.Context{t.Context(), context.Background()} {
			t.Run(fmt.Sprintf("%s, context ends %t", tt.name, ctx.Done() != nil),
				func(t *testing.T) {
					bubble(t, func(t *testing.T, _ *storage) {
						s := newStorageThat(t, tt.exclusive)
						var by string
						s.begin = func() error { by = goroutine(); return nil }
						start := time.Now()
						if ctx.Done() != nil {
							ctx = t.Context()
						}
						for i := range 2 {
							if err := s.group.Submit(ctx, s.deferred(i, tt.records)); err != nil {
								t.Error(err)
							}
							if self := by == goroutine(); self != tt.self {
								t.Errorf("operation %d: its caller commits: %t, want %t", i, self,
									tt.self)
							}
						}
						took := 2 * commitTime
						if tt.records == 1 {
							took += 2 * maxDelay
						}
						if got := time.Since(start); got != took {
							t.Errorf("took %v, want %v", got, took)
						}
						s.committed([]int{0}, []int{1})
					})
				})
		}
	}
}

// TestWhoCommitsReturns has a caller commit while others arrive all the time. It returns with its
// own operation.
func TestWhoCommitsReturns(t *testing.T) {
	bubble(t, func(t *testing.T, _ *storage) {
		s := newStorageThat(t, true)
		start := time.Now()
		result := s.submit(t.Context(), s.write(0))
		synctest.Wait()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				for range 5 {
					if err := s.group.Submit(t.Context(), s.write(1+i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		if err := <-result; err != nil {
			t.Error(err)
		}
		if got, want := time.Since(start), commitTime; got != want {
			t.Errorf("took %v, want %v", got, want)
		}
		wg.Wait()
	})
}

// TestContextEndsWhileItCommits has the context of a caller end in its own commit. It learns how
// the commit ended.
func TestContextEndsWhileItCommits(t *testing.T) {
	bubble(t, func(t *testing.T, _ *storage) {
		s := newStorageThat(t, true)
		ctx, cancel := context.WithTimeout(t.Context(), commitTime/2)
		defer cancel()
		start := time.Now()
		result := s.submit(ctx, s.write(0))
		synctest.Wait()
		meanwhile := s.submit(ctx, s.write(1))
		if err := <-result; err != nil {
			t.Errorf("got error %v of an operation that is committed", err)
		}
		if got := time.Since(start); got != commitTime {
			t.Errorf("took %v, want %v", got, commitTime)
		}
		want(t, meanwhile, context.DeadlineExceeded)
		s.committed([]int{0})
	})
}

// TestWhoCanLeaveASlowDisk has commits take long. The first caller can't know. Those after it leave
// when their contexts end, until the disk is quick again.
func TestWhoCanLeaveASlowDisk(t *testing.T) {
	bubble(t, func(t *testing.T, _ *storage) {
		s := newStorageThat(t, true)
		quick := s.commit
		s.commit = func(commit func()) (bool, error) {
			<-time.After(time.Second)
			commit()
			return true, nil
		}
		var by string
		s.begin = func() error { by = goroutine(); return nil }
		submit := func(id int, self bool, want error) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), commitTime/2)
			defer cancel()
			if err := s.group.Submit(ctx, s.write(id)); err != want {
				t.Errorf("operation %d: got error %v, want %v", id, err, want)
			}
			if got := by == goroutine(); got != self {
				t.Errorf("operation %d: its caller commits: %t, want %t", id, got, self)
			}
			after(2 * time.Second)
		}
		submit(0, true, nil)
		submit(1, false, context.DeadlineExceeded)
		s.commit = quick
		submit(2, false, context.DeadlineExceeded)
		submit(3, true, nil)
		s.committed([]int{0}, []int{1}, []int{2}, []int{3})
	})
}

// ahead begins an operation whose caller commits, and has others join it before its transaction
// begins.
func (s *storage) ahead(ctx context.Context, o *groupcommit.Op[*tx],
	others ...*groupcommit.Op[*tx]) (
	result <-chan error, results []<-chan error,
) {
	begin, before := make(chan struct{}), s.begin
	s.begin = func() error { <-begin; return nil }
	result = s.submit(ctx, o)
	for _, other := range others {
		synctest.Wait()
		results = append(results, s.submit(s.t.Context(), other))
	}
	synctest.Wait()
	s.begin = before
	close(begin)
	return result, results
}

// TestWhoCommitsFails has a caller's own operation spoil the transaction. It doesn't wait until
// the others are tried again, of which some spoil theirs.
func TestWhoCommitsFails(t *testing.T) {
	bubble(t, func(t *testing.T, _ *storage) {
		s := newStorageThat(t, true)
		start := time.Now()
		result, results := s.ahead(t.Context(), s.spoil(0), s.write(1), s.spoil(2), s.write(3))
		if err := <-result; !errors.Is(err, errOp) || time.Since(start) != 0 {
			t.Errorf("got error %v after %v, want its own, at once", err, time.Since(start))
		}
		for i, r := range results {
			if err := <-r; (err == nil) != (i != 1) {
				t.Errorf("operation %d: got error %v", i+1, err)
			}
		}
		s.committed([]int{1, 3})
	})
}

// TestWhoCommitsLeavesBetweenTries has another operation spoil the transaction of a caller. It
// need not be the one that tries again, so it can leave.
func TestWhoCommitsLeavesBetweenTries(t *testing.T) {
	bubble(t, func(t *testing.T, _ *storage) {
		s := newStorageThat(t, true)
		again := make(chan struct{})
		s.begin = func() error { <-again; return nil }
		ctx, cancel := context.WithCancel(t.Context())
		result, results := s.ahead(ctx, s.write(0), s.spoil(1), s.write(2))
		synctest.Wait()
		want(t, results[0], errOp)
		waits(t, result)
		cancel()
		synctest.Wait()
		want(t, result, context.Canceled)
		close(again)
		if err := <-results[1]; err != nil {
			t.Error(err)
		}
		s.committed([]int{2})
	})
}
