package record_test

import (
	"math"
	"testing"
	"time"

	"github.com/outhook/outhook/store/pgstore/internal/record"
)

// TestMicros checks that no duration overflows, and that none becomes shorter.
func TestMicros(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		0: 0, 1: 1, time.Microsecond: 1, time.Microsecond + 1: 2, -time.Microsecond: -1, -1: 0,
		math.MaxInt64: math.MaxInt64/1000 + 1, math.MaxInt64 - 1: math.MaxInt64/1000 + 1,
	} {
		if got := record.Micros(d); got != want {
			t.Errorf("microseconds of %v: got %d, want %d", int64(d), got, want)
		}
	}
	for us, want := range map[int64]time.Duration{
		0: 0, 2: 2 * time.Microsecond, -1: 0, math.MaxInt64: math.MaxInt64,
		math.MaxInt64 / 1000: math.MaxInt64 / 1000 * 1000,
	} {
		if got := record.FromMicros(us); got != want {
			t.Errorf("%d microseconds: got %v, want %v", us, got, want)
		}
	}
}

// TestTimesAtTheEdge checks that times that PostgreSQL does not have become the nearest that it
// has, and that the zero time is NULL.
func TestTimesAtTheEdge(t *testing.T) {
	var zero time.Time
	first, last := zero, time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	for at, want := range map[time.Time]time.Time{
		zero.AddDate(-5000, 0, 0): first, zero.AddDate(400_000, 0, 0): last,
		time.Unix(1, 0): time.Unix(1, 0),
	} {
		if got := record.InRange(at); !got.Equal(want) {
			t.Errorf("%v: got %v, want %v", at, got, want)
		}
		if got := record.Time(record.TimeOrNull(at)); !got.Equal(want) {
			t.Errorf("stored and read, %v: got %v, want %v", at, got, want)
		}
	}
	if got := record.TimeOrNull(zero); got != nil {
		t.Errorf("the zero time: got %v, want NULL", got)
	}
	if got := record.Time(nil); !got.IsZero() {
		t.Errorf("NULL: got %v, want the zero time", got)
	}
}
