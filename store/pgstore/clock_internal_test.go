package pgstore

import (
	"testing"
	"time"
)

// TestClockNarrows checks that the server's clock is known the better the more answers come, and is
// never behind what the server said last.
func TestClockNarrows(t *testing.T) {
	const second = int64(time.Second)
	here := time.Unix(1000, 0)
	at := func(seconds float64) time.Time { return here.Add(time.Duration(seconds * float64(second))) }
	said := func(seconds float64) time.Time { return time.Unix(5000, 0).Add(time.Duration(seconds * float64(second))) }
	var c clock
	want := func(when string, now, seconds, slack float64) {
		t.Helper()
		r := c.last.Load()
		if got := r.at(at(now)); got != said(seconds).UnixNano() || r.slack != int64(slack*float64(second)) {
			t.Errorf("%s: got %v and up to %v, want %v and up to %v s", when, time.Unix(0, got).UTC(),
				time.Duration(r.slack), said(seconds).UTC(), slack)
		}
	}
	c.set(said(0), at(0), at(4)) // the server was at 0 s some time in these four
	want("a slow answer", 4, 0, 4)
	c.set(said(9), at(10), at(11)) // so at 10 s here it is 8 to 9 s there, and was 6 to 10 before
	want("a quick answer", 11, 9, 1)
	c.set(said(19), at(20), at(27))
	want("a slow answer again", 27, 25, 1)
	c.set(said(29.5), at(30), at(31))
	want("what the server said last is a lower bound", 31, 29.5, 0.5)
	c.set(said(20), at(40), at(41))
	want("a clock that was set back", 41, 20, 1)
}
