package groupcommit_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

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

// TestCloseBeginsWhileTheHostHasTheStorage has nothing under way when Close comes.
func TestCloseBeginsWhileTheHostHasTheStorage(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		release := s.hold()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		result := make(chan error, 1)
		go func() { result <- s.group.Close(ctx, s.write(1)) }()
		after(2 * time.Second)
		want(t, result, context.DeadlineExceeded)
		release()
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
