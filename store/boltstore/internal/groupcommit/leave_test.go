package groupcommit_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

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
