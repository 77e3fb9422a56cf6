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

// reading is what the server's clock said, and when that was here.
type reading struct {
	server int64 // nanoseconds since 1970
	here   time.Time
}

// at returns the server's time when it was a time here.
func (r *reading) at(here time.Time) int64 { return r.server + int64(here.Sub(r.here)) }

// Set takes in what the server's clock said at some time between two times here.
func (c *Clock) Set(server, from, to time.Time) {
	said := server.UnixNano()
	// An answer that agrees with what is known is not more exact: it took as long to come. If the
	// clock followed each, it would jump by as much as answers take.
	if r := c.last.Load(); r != nil && r.at(from) <= said && said <= r.at(to) {
		return
	}
	c.last.Store(&reading{said, to}) // the server's clock shows that or more by now
}

// Now returns the server's time in nanoseconds since 1970.
func (c *Clock) Now() int64 {
	r := c.last.Load()
	if r == nil {
		return time.Now().UnixNano()
	}
	return r.at(time.Now())
}
