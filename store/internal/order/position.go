package order

import (
	"cmp"
	"math"
	"time"
)

// Position is where a delivery stands among those of its subscription: first attempts by their
// event, retries by when they are due.
//
// Small numbers in place of a time say that a retry is due at once, and stand before all times:
// [Asked], and what [Parked] returns. Those of the same number go in the order of their events. So
// what was asked for comes in the order of Publish, in any number of steps. What an open breaker
// holds back is due as soon as it closes, in the order of attempts and events, without a single
// write.
type Position struct {
	Due int64  // 0 for a first attempt, a small number, or nanoseconds of the store's clock
	Seq uint64 // the sequence number of the event
}

// Asked is the Due of a delivery that was asked for: a redelivery or a replay.
const Asked = 1

// Parked returns the Due of a delivery that was attempted so often, 1 at least, and that nothing
// keeps from being attempted again but the breaker of its subscription.
func Parked(attempts int) int64 { return Asked + int64(min(attempts, maxParked)) }

// Scheduled returns the Due of a first attempt that is not to start before a time, in milliseconds
// since 1970: unlike a retry, not even as a probe. It is due at that time and a microsecond, which
// tells it from retries: see Retrying.
func Scheduled(ms int64) int64 { return min(ms, lastMilli)*nanosPerMilli + scheduledMark }

// Retrying returns the Due of a retry, which is due at a time. The microsecond that tells those of
// Scheduled is left to them.
func Retrying(at int64) int64 {
	if isScheduled(at) {
		at += scheduledMark
	}
	return at
}

const (
	nanosPerMilli = int64(time.Millisecond)
	lastMilli     = math.MaxInt64/nanosPerMilli - 1
	// A microsecond, and no less: it is what PostgreSQL has.
	scheduledMark = int64(time.Microsecond)
)

// isScheduled reports whether a Due is one of Scheduled.
func isScheduled(due int64) bool {
	return IsTime(due) && due%nanosPerMilli == scheduledMark
}

// NotBefore returns the time that a Due of Scheduled was made of, in nanoseconds; ok is false for
// every other Due.
func NotBefore(due int64) (at int64, ok bool) { return due - scheduledMark, isScheduled(due) }

// IsTime reports whether a Due is a time, and not a small number in place of one.
func IsTime(due int64) bool { return due > Parked(math.MaxInt) }

// maxParked keeps these numbers far below any time: it is two milliseconds after 1970 began.
const maxParked = 2_000_000

// Compare orders positions.
func (p Position) Compare(o Position) int {
	return cmp.Or(cmp.Compare(p.Due, o.Due), cmp.Compare(p.Seq, o.Seq))
}

// Source says where a delivery is claimed from.
type Source uint8

const (
	Packed   Source    = iota // first attempts that the store has packed together
	First                     // first attempts that have a record of their own
	Retry                     // what was attempted before, by when it is due
	Windows                   // how many of the above there are: each is a window
	Implicit = Windows        // first attempts that only memory lists
)

// Source returns the window of a delivery that has a record of its own and stands at p.
func (p Position) Source() Source {
	if p.Due == 0 {
		return First
	}
	return Retry
}
