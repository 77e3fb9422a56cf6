package boltstore

import (
	"math"
	"time"
)

// Times of the store's own clock are kept as nanoseconds since 1970; 0 is none.

// now returns the store's time.
func now() int64 { return time.Now().UnixNano() }

// after returns the time d after t, or the last there is.
func after(t int64, d time.Duration) int64 {
	if d > 0 && t > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return t + int64(d)
}

// asTime returns the time that callers see; zero for none.
func asTime(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, t).UTC()
}

// fromMillis returns a time given in milliseconds, or the last there is.
func fromMillis(ms int64) int64 {
	if ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return ms * int64(time.Millisecond)
}
