package pgstore

import (
	"math"
	"time"
)

// micros returns d in microseconds, rounded up. No duration overflows: the longest, of 292 years,
// is as many microseconds, and what PostgreSQL adds it to stays within its dates.
func micros(d time.Duration) int64 {
	us := int64(d / time.Microsecond)
	if d%time.Microsecond > 0 {
		us++
	}
	return us
}

// Times that PostgreSQL and Go both have, and text formats too.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// inRange returns the time, or the nearest that PostgreSQL has: it is for comparisons.
func inRange(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t
}

// int32of returns n, or the nearest number that an integer column holds.
func int32of(n int) int32 { return int32(min(max(n, math.MinInt32), math.MaxInt32)) }

// fromMicros is the opposite of micros.
func fromMicros(us int64) time.Duration {
	if us > math.MaxInt64/int64(time.Microsecond) {
		return math.MaxInt64
	}
	return max(time.Duration(us)*time.Microsecond, 0)
}
