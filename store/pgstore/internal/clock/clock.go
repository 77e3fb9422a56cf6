// Package clock is the clock of the database server, as one replica knows it. Deliveries are due by
// it, so the clocks of replicas need not agree.
//
// The clock is what the server said once, and the time since by the replica's own monotonic clock,
// which goes on evenly. It needs no round trip to be read.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock is the server's clock. The zero value goes by this machine's until Set is called. It is
// safe for concurrent use.
type Clock struct{ last atomic.Pointer[reading] }

// reading is what the server's clock said, and when that was here. An answer takes some time, so at
// here the server's clock showed a time from server to server plus slack.
type reading struct {
	server int64 // nanoseconds since 1970
	here   time.Time
	slack  int64 // nanoseconds
}

// at returns the server's time when it was a time here, or no more than slack before it.
func (r *reading) at(here time.Time) int64 { return r.server + int64(here.Sub(r.here)) }

// Set takes in what the server's clock said at some time between two times here. What was known
// before narrows it: what is known now agrees with all that the server has said, and is never
// behind what it said last. If no time agrees, one of the clocks was set, and the last answer
// counts.
func (c *Clock) Set(server, from, to time.Time) {
	for {
		known := c.last.Load()
		said := server.UnixNano()
		low, high := said, said+int64(to.Sub(from))
		// If each answer counted for itself, the clock would jump by as much as answers take.
		if known != nil {
			l, h := known.at(to), known.at(to)+known.slack
			if max(low, l) <= min(high, h) {
				low, high = max(low, l), min(high, h)
			}
		}
		if c.last.CompareAndSwap(known, &reading{low, to, high - low}) {
			return
		}
	}
}

// Now returns the server's time in nanoseconds since 1970.
func (c *Clock) Now() int64 {
	r := c.last.Load()
	if r == nil {
		return time.Now().UnixNano()
	}
	return r.at(time.Now())
}
