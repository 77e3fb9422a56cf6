package pgstore

import (
	"sync/atomic"
	"time"
)

// clock is the server's clock as this replica knows it: what it said last, and the time since by the replica's own, which
// goes on evenly. Deliveries are due by it.
type clock struct{ last atomic.Pointer[reading] }

// reading is what the server's clock said, and when that was here.
type reading struct {
	server int64 // nanoseconds since 1970
	here   time.Time
}

// set takes in what the server's clock says, asked no earlier than at a time here.
func (c *clock) set(server, here time.Time) { c.last.Store(&reading{server.UnixNano(), here}) }

// now returns the server's time in nanoseconds since 1970; before it is known, this machine's.
func (c *clock) now() int64 {
	r := c.last.Load()
	if r == nil {
		return time.Now().UnixNano()
	}
	return r.server + int64(time.Since(r.here))
}
