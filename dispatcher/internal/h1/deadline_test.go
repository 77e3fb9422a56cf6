package h1_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// A context of WithDeadline ends as one of context.WithDeadline does, whether or not anybody has
// asked for Done before.
func TestWithDeadline(t *testing.T) {
	type key struct{}
	for _, tt := range []struct {
		name string
		end  func(parent, own context.CancelFunc)
		want error
	}{
		{"the deadline", func(_, _ context.CancelFunc) {
			<-time.After(time.Minute)
		}, context.DeadlineExceeded},
		{"the parent", func(parent, _ context.CancelFunc) { parent() }, context.Canceled},
		{"its own cancel", func(_, own context.CancelFunc) { own() }, context.Canceled},
	} {
		for _, asked := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				parent, cancelParent := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
				defer cancelParent()
				deadline := time.Now().Add(time.Minute)
				ctx := h1.WithDeadline(parent, deadline)
				defer ctx.Cancel()
				if got, ok := ctx.Deadline(); !ok || !got.Equal(deadline) {
					t.Errorf("%s: Deadline = %v, %v, want %v", tt.name, got, ok, deadline)
				}
				child, cancelChild := context.Background(), func() {}
				if asked {
					child, cancelChild = context.WithCancel(ctx)
				}
				defer cancelChild()
				if ctx.Err() != nil || ctx.Value(key{}) != "value" {
					t.Errorf("%s: before the end, Err = %v, Value = %v", tt.name, ctx.Err(), ctx.Value(key{}))
				}
				tt.end(cancelParent, ctx.Cancel)
				synctest.Wait()
				if got := ctx.Err(); !errors.Is(got, tt.want) {
					t.Errorf("%s, asked before: %v: Err = %v, want %v", tt.name, asked, got, tt.want)
				}
				<-ctx.Done() // in a bubble, one that stays open is a deadlock
				if got := ctx.Err(); !errors.Is(got, tt.want) {
					t.Errorf("%s: Err after Done = %v, want %v", tt.name, got, tt.want)
				}
				if asked && child.Err() == nil {
					t.Errorf("%s: a child goes on", tt.name)
				}
			})
		}
	}
}

// Of two deadlines the earlier one counts; and it does not end before its parent if that is the
// parent's.
func TestWithDeadlineOfAnEarlierParent(t *testing.T) {
	for range 100 { // timers of the same instant fire in any order
		synctest.Test(t, func(t *testing.T) {
			early := time.Now().Add(time.Hour)
			parent, cancelParent := context.WithDeadline(t.Context(), early)
			defer cancelParent()
			ctx := h1.WithDeadline(parent, early.Add(time.Hour))
			defer ctx.Cancel()
			if got, _ := ctx.Deadline(); !got.Equal(early) {
				t.Errorf("Deadline = %v, want the parent's, %v", got, early)
			}
			<-ctx.Done()
			if parent.Err() == nil || !time.Now().Equal(early) {
				t.Errorf("it ended at %v, and its parent's Err is %v; want the parent to end first", time.Now(),
					parent.Err())
			}
		})
	}
}

// Contexts made from it cost no goroutine.
func TestWithDeadlineHasNoGoroutine(t *testing.T) {
	ctx := h1.WithDeadline(t.Context(), time.Now().Add(time.Hour))
	defer ctx.Cancel()
	ctx.Done()
	before := runtime.NumGoroutine()
	for range 100 {
		_, cancel := context.WithCancel(ctx)
		defer cancel()
	}
	if n := runtime.NumGoroutine() - before; n > 50 {
		t.Errorf("100 contexts made from one have %d goroutines, want none", n)
	}
}
