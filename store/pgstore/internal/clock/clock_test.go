package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store/pgstore/internal/clock"
)

// ahead is how far the server's clock is ahead of this machine's.
const ahead = 3 * time.Hour

func serverNow() time.Time { return time.Now().Add(ahead) }

func TestBeforeTheServerWasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		if got, want := c.Now(), time.Now().UnixNano(); got != want {
			t.Errorf("got %d, want this machine's %d", got, want)
		}
	})
}

func TestGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		c.Set(serverNow(), time.Now(), time.Now())
		<-time.After(time.Minute)
		if got, want := c.Now(), serverNow().UnixNano(); got != want {
			t.Errorf("after a minute: got %d, want %d", got, want)
		}
	})
}

// TestSlowAnswers checks that the clock does not jump by as much as answers take: each was read at
// the server somewhere between its question and its end.
func TestSlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		c.Set(serverNow(), time.Now(), time.Now())
		for _, back := range []time.Duration{0, 40 * time.Millisecond, 80 * time.Millisecond} {
			asked := time.Now()
			<-time.After(back)
			said := serverNow()
			<-time.After(80*time.Millisecond - back)
			c.Set(said, asked, time.Now())
			if got, want := c.Now(), serverNow().UnixNano(); got != want {
				t.Errorf("after an answer that took %v one way: got %v off", back, time.Duration(got-want))
			}
		}
	})
}

// TestServerClockIsSet checks that the clock follows one that was set, in either direction.
func TestServerClockIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		c.Set(serverNow(), time.Now(), time.Now())
		for _, by := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
			want := serverNow().Add(by)
			c.Set(want, time.Now(), time.Now())
			if got := c.Now(); got != want.UnixNano() {
				t.Errorf("set by %v: got %d, want %d", by, got, want.UnixNano())
			}
		}
	})
}
