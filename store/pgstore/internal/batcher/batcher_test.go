package batcher_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store/pgstore/internal/batcher"
)

type call = batcher.Call[int, int]

// recorder is a run that notes what it gets, answers with twice of each item, and takes as long as
// it is told.
type recorder struct {
	takes time.Duration
	runs  [][]int
}

func (r *recorder) run(calls []*call) {
	var items []int
	for _, c := range calls {
		items = append(items, c.Items...)
	}
	r.runs = append(r.runs, items)
	<-time.After(r.takes)
	for _, c := range calls {
		for _, item := range c.Items {
			c.Results = append(c.Results, 2*item)
		}
	}
}

// start has items done in the background, in order of the calls of start.
func start(b *batcher.Batcher[int, int], ctx context.Context, size int, items ...int) <-chan error {
	return begin(b, ctx, false, size, items...)
}

func begin(
	b *batcher.Batcher[int, int], ctx context.Context, awaited bool, size int, items ...int,
) <-chan error {
	ended := make(chan error, 1)
	go func() {
		got, err := b.Do(ctx, items, size, awaited)
		for i := range items {
			if err == nil && got[i] != 2*items[i] {
				err = errors.New("it got the results of another call")
			}
		}
		ended <- err
	}()
	synctest.Wait()
	return ended
}

func TestJoinsWhatArrivesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{takes: time.Second}
		b := batcher.New(r.run, 0)
		began := time.Now()
		var all []<-chan error
		for i := range 4 {
			all = append(all, start(b, t.Context(), 1, 10*i, 10*i+1))
		}
		for _, ended := range all {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		want := [][]int{{0, 1}, {10, 11, 20, 21, 30, 31}}
		if !slices.EqualFunc(r.runs, want, slices.Equal) {
			t.Errorf("runs: got %v, want %v", r.runs, want)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %v, want two runs", took)
		}
	})
}

func TestALoneCallWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batcher.New((&recorder{}).run, 0)
		began := time.Now()
		if err := <-start(b, t.Context(), 1, 7); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v, want none", took)
		}
	})
}

// TestRunsBeginApart checks that calls that come soon after a run share the next one, and that only
// those wait.
func TestRunsBeginApart(t *testing.T) {
	const every = 10 * time.Second
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{takes: time.Second}
		b := batcher.New(r.run, every)
		began := time.Now()
		at := func(what string, want time.Duration, ended <-chan error) {
			t.Helper()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("%s ended after %v, want %v", what, took, want)
			}
		}
		at("the first", time.Second, start(b, t.Context(), 1, 0))
		soon := start(b, t.Context(), 1, 1)
		time.Sleep(5 * time.Second)
		at("the last of the second run", every+time.Second, start(b, t.Context(), 1, 2))
		at("the first of the second run", every+time.Second, soon)
		time.Sleep(2 * every)
		at("after a pause", 3*every+2*time.Second, start(b, t.Context(), 1, 3))
		// In the next second, something waits for the last.
		at("awaited", 3*every+3*time.Second, begin(b, t.Context(), true, 1, 4))
		if want := [][]int{{0}, {1, 2}, {3}, {4}}; !slices.EqualFunc(r.runs, want, slices.Equal) {
			t.Errorf("runs: got %v, want %v", r.runs, want)
		}
		if b.Close(); time.Since(began) != 3*every+3*time.Second {
			t.Error("Close waited for the time of the next run")
		}
	})
}

// TestBounds checks that a run has neither too many items nor too many bytes, but for a call that
// is too large alone.
func TestBounds(t *testing.T) {
	for name, tc := range map[string]struct {
		items, size int
		want        []int // calls of each run
	}{
		"items":     {batcher.MaxItems / 2, 1, []int{1, 2, 2}},
		"bytes":     {1, batcher.MaxSize / 2, []int{1, 2, 2}},
		"too large": {1, batcher.MaxSize + 1, []int{1, 1, 1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []int
				b := batcher.New(func(calls []*call) {
					got = append(got, len(calls))
					<-time.After(time.Second)
					for _, c := range calls {
						c.Err = errors.ErrUnsupported
					}
				}, 0)
				var all []<-chan error
				for range 5 {
					all = append(all, start(b, t.Context(), tc.size, make([]int, tc.items)...))
				}
				for _, ended := range all {
					if err := <-ended; !errors.Is(err, errors.ErrUnsupported) {
						t.Errorf("got %v, want the error of the run", err)
					}
				}
				if !slices.Equal(got, tc.want) {
					t.Errorf("calls of each run: got %v, want %v", got, tc.want)
				}
			})
		})
	}
}

// TestGiveUp checks that a call that waits is never done when its caller leaves, and that one that
// is under way is not said to be undone.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{takes: time.Second}
		b := batcher.New(r.run, 0)
		ctx, cancel := context.WithCancel(t.Context())
		underWay := start(b, ctx, 1, 1)
		waits := start(b, ctx, 1, 2)
		stays := start(b, t.Context(), 1, 3)
		cancel()
		var notDone *batcher.NotDone
		if err := <-underWay; !errors.Is(err, context.Canceled) || errors.As(err, &notDone) {
			t.Errorf("under way: got %v, want Canceled, and not that it is not done", err)
		}
		if err := <-waits; !errors.Is(err, context.Canceled) || !errors.As(err, &notDone) {
			t.Errorf("waiting: got %v, want Canceled and that it is not done", err)
		}
		if b.Waiting() != 1 {
			t.Errorf("%d calls wait, want 1", b.Waiting())
		}
		if err := <-stays; err != nil {
			t.Error(err)
		}
		if want := [][]int{{1}, {3}}; !slices.EqualFunc(r.runs, want, slices.Equal) {
			t.Errorf("runs: got %v, want %v", r.runs, want)
		}
	})
}

func TestMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batcher.New((&recorder{takes: 2 * batcher.MaxWait}).run, 0)
		first := start(b, t.Context(), 1, 1)
		second := start(b, t.Context(), 1, 2)
		var notDone *batcher.NotDone
		if err := <-second; !errors.Is(err, batcher.ErrQueue) || !errors.As(err, &notDone) {
			t.Errorf("waiting: got %v, want ErrQueue and that it is not done", err)
		}
		if err := <-first; !errors.Is(err, batcher.ErrQueue) || errors.As(err, new(*batcher.NotDone)) {
			t.Errorf("under way: got %v, want ErrQueue, and not that it is not done", err)
		}
		b.Close() // no goroutine may outlive the bubble
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{takes: time.Second}
		b := batcher.New(r.run, 0)
		first, second := start(b, t.Context(), 1, 1), start(b, t.Context(), 1, 2)
		b.Close()
		if len(r.runs) != 2 {
			t.Errorf("Close returned after %d runs, want both", len(r.runs))
		}
		for _, ended := range []<-chan error{first, second} {
			if err := <-ended; err != nil {
				t.Errorf("accepted before Close: %v", err)
			}
		}
		if _, err := b.Do(t.Context(), []int{3}, 1, false); !errors.Is(err, batcher.ErrClosed) {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
	})
}
