package record

import (
	"math"
	"time"
)

// Micros returns d in microseconds, rounded up. No duration overflows: the longest, of 292 years,
// is as many microseconds, and what PostgreSQL adds it to stays within its dates. Up, so that
// nothing is due before its time.
func Micros(d time.Duration) int64 {
	us := int64(d / time.Microsecond)
	if d%time.Microsecond > 0 {
		us++
	}
	return us
}

// FromMicros is the opposite of Micros. What is too long becomes the longest, and what is negative
// nothing: only a damaged row has either.
func FromMicros(us int64) time.Duration {
	if us > math.MaxInt64/int64(time.Microsecond) {
		return math.MaxInt64
	}
	return max(time.Duration(us)*time.Microsecond, 0)
}

// Times that PostgreSQL and Go both have, and text formats too.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// InRange returns the time, or the nearest that PostgreSQL has. It is for comparisons. Stored times
// go through it too (TimeOrNull): a time out of range is an error of the server.
func InRange(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t
}

// Time returns what was read from a column: the zero time for NULL. In UTC, as the contract has
// times; pgx returns them in the local zone.
func Time(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// TimeOrNull is the opposite of Time.
func TimeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = InRange(t)
	return &t
}

// Int32 returns n, or the nearest number that an integer column holds. An error of the server would
// stop what counts on for ever, such as failures.
func Int32(n int) int32 { return int32(min(max(n, math.MinInt32), math.MaxInt32)) }
