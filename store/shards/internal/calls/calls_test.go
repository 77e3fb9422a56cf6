package calls_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

// TestCloseWaits wants Close to end what is under way and to wait for it, and nothing to begin
// after it.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, ended := calls.NewGroup(), false
		if !g.Start(func() {
			<-g.Context().Done()
			<-time.After(time.Second)
			ended = true
		}) {
			t.Fatal("Start: got false")
		}
		if !g.Close(t.Context()) || !ended {
			t.Errorf("Close: it was not the first, or has not waited (%t)", ended)
		}
		if g.Close(t.Context()) || !g.IsClosed() {
			t.Error("Close again: got that it is the first")
		}
		if g.Start(func() { t.Error("something began after Close") }) {
			t.Error("Start after Close: got true")
		}
		synctest.Wait()
	})
}

// TestCloseGivesUp wants a call that hangs not to keep Close.
func TestCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, hangs := calls.NewGroup(), make(chan struct{})
		g.Start(func() { <-hangs })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		g.Close(ctx)
		if took := time.Since(began); took != time.Second {
			t.Errorf("Close took %v, want the second that it was given", took)
		}
		close(hangs)
	})
}

// TestEach calls several at once, of which one fails and one panics.
func TestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		answers, err := calls.Each(t.Context(), calls.NewGroup(), []int{1, 2, 3, 4},
			func(_ context.Context, n int) (int, error) {
				<-time.After(time.Duration(5-n) * time.Second) // the first answers last
				switch n {
				case 2:
					return 0, store.ErrNotFound
				case 3:
					panic("ouch")
				}
				return 10 * n, nil
			})
		if err != nil || len(answers) != 4 || time.Since(began) != 4*time.Second {
			t.Fatalf("got %v, %v after %v, want 4 answers after 4 s", answers, err, time.Since(began))
		}
		if answers[0].Out != 10 || answers[3].Out != 40 || answers[1].Err != store.ErrNotFound ||
			answers[2].Err == nil {
			t.Errorf("got %+v", answers)
		}
	})
}

// TestEachOfOneThatHangs wants the end of a context to be enough to return, and the end of the
// group too.
func TestEachOfOneThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, hangs := calls.NewGroup(), make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		call := func(context.Context, int) (struct{}, error) {
			<-hangs
			return struct{}{}, nil
		}
		if answers, err := calls.Each(ctx, g, []int{1, 2}, call); err != context.DeadlineExceeded {
			t.Errorf("got %v, %v, want that the time is over", answers, err)
		}
		close(hangs)
		g.Close(t.Context())
		_, err := calls.Each(t.Context(), g, []int{1, 2}, call)
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("after Close: got %v, want %v", err, store.ErrClosed)
		}
	})
}

func TestIsAnswer(t *testing.T) {
	for err, want := range map[error]bool{
		store.ErrNotFound: true, store.ErrConflict: true, store.ErrMoved: true, store.ErrClosed: false,
		store.ErrCorrupt: false, context.Canceled: true, context.DeadlineExceeded: true,
		&events.InvalidError{Field: "id"}: true, errors.New("the disk is gone"): false,
	} {
		if got := calls.IsAnswer(fmt.Errorf("a store: %w", err)); got != want {
			t.Errorf("%v: got %t", err, got)
		}
	}
}
