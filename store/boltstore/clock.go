package boltstore

import (
	"math"
	"time"
)

// Times of the store's own clock are kept as nanoseconds since 1970; 0 is none.

// clock is the store's clock. What is due, held, leased and past its retention goes by it. It never jumps while the store
// is open, whatever becomes of the system's clock, and when the store is opened it starts no earlier than it ended: so a
// system's clock that is set back delays no retry, and one that is set forward makes none due, until the next start at least.
//
// What is compared with the times of callers, such as when a subscription was subscribed, is stamped by the system's.
type clock struct {
	wall  func() time.Time // the system's
	base  int64            // what it showed when it was started
	start time.Time        // when that was, by the system's monotonic clock
}

// startClock returns a clock that starts no earlier than at the time floor.
func startClock(wall func() time.Time, floor int64) clock {
	return clock{wall: wall, base: max(wall().UnixNano(), floor), start: time.Now()}
}

func (c *clock) now() int64 { return c.base + int64(time.Since(c.start)) }

// clockStep is how far the clock may be ahead of what the file says of it.
const clockStep = int64(time.Second)

// keepClock writes how far the clock has come, unless it was written lately.
func (t *txn) keepClock() error {
	kept, err := t.metaNumber(metaClock)
	if err == nil && t.now-int64(kept) < clockStep {
		return nil
	}
	return t.putMetaNumber(metaClock, uint64(t.now))
}

// keptClock returns how far the clock had come when the store was last used, or earlier. A record
// that can't be read says nothing.
func (t *txn) keptClock() int64 {
	kept, _ := t.metaNumber(metaClock)
	return int64(kept)
}

// after returns the time d after t, or the last there is.
func after(t int64, d time.Duration) int64 {
	if d > 0 && t > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return t + int64(d)
}

// fromMillis returns a time given in milliseconds, or the last there is.
func fromMillis(ms int64) int64 {
	if ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return ms * int64(time.Millisecond)
}
