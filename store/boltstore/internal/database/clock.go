package database

import (
	"time"
)

// Times of the store's own clock are kept as nanoseconds since 1970; 0 is none.

// clock is the store's clock. What is due, held, leased and past its retention goes by it. It never
// jumps while the store is open, even if the system's clock does. When the store is opened, it
// starts no earlier than it ended. So a system's clock that is set back delays no retry, and one
// that is set forward makes none due before the next start.
//
// What is compared with the times of callers, such as when a subscription was subscribed, is
// stamped by the system's.
type clock struct {
	wall  func() time.Time // the system's
	base  int64            // what it showed when it was started
	start time.Time        // when that was, by the system's monotonic clock
}

// startClock returns a clock that starts no earlier than at the time floor. wall gives the first
// time only; from then on the monotonic clock counts.
func startClock(wall func() time.Time, floor int64) clock {
	return clock{wall: wall, base: max(wall().UnixNano(), floor), start: time.Now()}
}

// Now returns the store's time in nanoseconds since 1970. It never goes back.
func (c *clock) Now() int64 { return c.base + int64(time.Since(c.start)) }
