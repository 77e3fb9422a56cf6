package notify_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/notify"
)

// newQueue returns a queue with what it logs.
func newQueue() (*notify.Queue, *bytes.Buffer) {
	var logged bytes.Buffer
	return notify.New(slog.New(slog.NewTextHandler(&logged, nil))), &logged
}

func TestLaterKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, logged := newQueue()
		q.Later(func() { t.Error("a call from before Start was made") })
		stop := q.Start()
		var got []int
		for i := range 100 {
			q.Later(func() {
				if i == 50 {
					panic("at 50")
				}
				got = append(got, i)
			})
		}
		stop(t.Context())
		if len(got) != 99 || !slices.IsSorted(got) {
			t.Errorf("got the calls %v, want 0 to 99 without 50", got)
		}
		if !strings.Contains(logged.String(), "the Observer panicked") {
			t.Errorf("the log has no panic: %s", logged)
		}
		q.Later(func() { t.Error("a call from after the end was made") })
		q.Start()(t.Context())
	})
}

func TestLaterDropsWhatIsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, logged := newQueue()
		stop := q.Start()
		unblock, made := make(chan struct{}), 0
		q.Later(func() { <-unblock })
		synctest.Wait() // it is being made, and takes no place
		const places, more = 4096, 10
		for range places + more {
			q.Later(func() { made++ })
		}
		close(unblock)
		synctest.Wait()
		if made != places {
			t.Errorf("%d calls were made, want %d", made, places)
		}
		q.Later(func() {})
		if !strings.Contains(logged.String(), "calls=10") {
			t.Errorf("the log does not say that 10 calls were dropped: %s", logged)
		}
		stop(t.Context())
	})
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, logged := newQueue()
		stop := q.Start()
		unblock := make(chan struct{})
		for range 3 {
			q.Later(func() { <-unblock })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stop(ctx)
		if !strings.Contains(logged.String(), "calls=2") {
			t.Errorf("the log does not say that two calls were dropped: %s", logged)
		}
		close(unblock)
	})
}
