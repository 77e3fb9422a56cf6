package pgstore

import (
	"sync/atomic"
	"time"
)

// clock is the server's clock as this replica knows it: what it said once, and the time since by
// the replica's own, which goes on evenly. Deliveries are due by it.
type clock struct{ last atomic.Pointer[reading] }

// reading is what the server's clock said, and when that was here: at here it was from server to
// server and slack, as an answer takes some time.
type reading struct {
	server int64 // nanoseconds since 1970
	here   time.Time
	slack  int64 // nanoseconds
}

// at returns the server's time when it was a time here, or no more than slack before it.
func (r *reading) at(here time.Time) int64 { return r.server + int64(here.Sub(r.here)) }

// set takes in what the server's clock said some time between two times here. What was known
// before narrows it: what is known now is right by all that the server has said, and never behind
// what it said last. If that cannot be, one of the clocks was set, and the last word counts.
func (c *clock) set(server, from, to time.Time) {
	for {
		known := c.last.Load()
		said := server.UnixNano()
		low, high := said, said+int64(to.Sub(from))
		if known != nil {
			if l, h := known.at(to), known.at(to)+known.slack; max(low, l) <= min(high, h) {
				low, high = max(low, l), min(high, h)
			}
		}
		if c.last.CompareAndSwap(known, &reading{low, to, high - low}) {
			return
		}
	}
}

// now returns the server's time in nanoseconds since 1970; before it is known, this machine's.
func (c *clock) now() int64 {
	r := c.last.Load()
	if r == nil {
		return time.Now().UnixNano()
	}
	return r.at(time.Now())
}
