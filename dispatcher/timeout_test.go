package dispatcher_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
)

// TestTimeoutsAreUsedAgain runs attempts one after another under the context of a Run, which end in every way, and wants
// each to have its whole time.
func TestTimeoutsAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = time.Second
		attempts := dispatcher.Attempts(t.Context())
		for i, how := range []string{"clean", "late", "clean", "clean", "unclean", "late", "late", "clean"} {
			start := time.Now()
			ctx, dial, end := dispatcher.Begin(attempts, timeout)
			child, cancel := context.WithCancelCause(ctx) // as net/http has it
			if err := errors.Join(ctx.Err(), dial.Err(), child.Err()); err != nil {
				t.Fatalf("%d, %s: it begins with %v", i, how, err)
			}
			if at, ok := ctx.Deadline(); !ok || !at.Equal(start.Add(timeout)) {
				t.Errorf("%d, %s: the deadline is %v, %t; want %v", i, how, at, ok, start.Add(timeout))
			}
			if how == "late" {
				<-child.Done()
				if took := time.Since(start); took != timeout {
					t.Errorf("%d: it ended after %v, want %v", i, took, timeout)
				}
				if ctx.Err() != context.DeadlineExceeded || context.Cause(child) != context.DeadlineExceeded {
					t.Errorf("%d: it ended with %v, and what is under it with %v", i, ctx.Err(), context.Cause(child))
				}
			}
			<-time.After(timeout / 2)
			end(how == "clean")
			<-dial.Done()
			if how == "unclean" {
				<-child.Done()
				if ctx.Err() != context.Canceled {
					t.Errorf("%d: it ended with %v, want %v", i, ctx.Err(), context.Canceled)
				}
			}
			cancel(nil)
		}
	})
}

func TestAttemptsEndWithTheirRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cut := context.WithCancel(t.Context())
		attempts := dispatcher.Attempts(parent)
		_, _, end := dispatcher.Begin(attempts, time.Second)
		end(true)
		ctx, dial, end := dispatcher.Begin(attempts, time.Second)
		cut()
		<-ctx.Done()
		<-dial.Done()
		if err := ctx.Err(); err != context.Canceled {
			t.Errorf("it ended with %v, want %v", err, context.Canceled)
		}
		end(true)
		if ctx, _, end := dispatcher.Begin(attempts, time.Second); ctx.Err() == nil {
			t.Error("an attempt begins after the end")
		} else {
			end(true)
		}
	})
}

// A dial that begins when its attempt has ended, as net/http may do, does not begin.
func TestNoDialAfterTheAttempt(t *testing.T) {
	ctx, _, end := dispatcher.Begin(dispatcher.Attempts(t.Context()), time.Hour)
	end(true)
	if dial := dispatcher.DialContext(ctx); dial.Err() == nil {
		t.Error("a dial begins after its attempt has ended")
	}
}
