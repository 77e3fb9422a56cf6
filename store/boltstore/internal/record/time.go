package record

import (
	"math"
	"time"
)

// AsTime returns a time that is kept as nanoseconds since 1970. 0 is the zero time. It is in UTC,
// so that what a store returns does not depend on the host's time zone.
func AsTime(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, t).UTC()
}

// nanos is the inverse of AsTime. It saturates at math.MaxInt64. The latest time that can be kept
// is in 2262, which is as good as never.
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.After(AsTime(math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// Millis returns a time of an event's in milliseconds since 1970; 0 for the zero time. No event has
// the beginning of 1970 itself.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// AsMillis is the inverse of Millis.
func AsMillis(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(t).UTC()
}
