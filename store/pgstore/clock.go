package pgstore

import (
	"sync/atomic"
	"time"
)

// clock is the server's clock as this replica knows it: what it said once, and the time since by
// the replica's own, which goes on evenly. Deliveries are due by it.
type clock struct{ last atomic.Pointer[reading] }

// reading is what the server's clock said, and when that was here.
type reading struct {
	server int64 // nanoseconds since 1970
	here   time.Time
}

// at returns the server's time when it was a time here.
func (r *reading) at(here time.Time) int64 { return r.server + int64(here.Sub(r.here)) }

// set takes in what the server's clock said some time between two times here. What is known stays
// as long as it can be right: or else the clock would jump by as much as answers take.
func (c *clock) set(server, from, to time.Time) {
	said := server.UnixNano()
	if r := c.last.Load(); r != nil && r.at(from) <= said && said <= r.at(to) {
		return
	}
	c.last.Store(&reading{said, to}) // it is no less than that now
}

// now returns the server's time in nanoseconds since 1970; before it is known, this machine's.
func (c *clock) now() int64 {
	r := c.last.Load()
	if r == nil {
		return time.Now().UnixNano()
	}
	return r.at(time.Now())
}
