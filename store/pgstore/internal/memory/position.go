package memory

import (
	"math"
	"time"

	"github.com/outhook/outhook/store/internal/order"
)

// LastAtOnce is the last of the small numbers that the schedule has in place of a time for what is
// due at once. The database has these numbers as they are, and times in microseconds: no time that
// a clock shows is as small.
var LastAtOnce = order.Parked(math.MaxInt)

// PositionOf returns where the schedule has a delivery whose due column has this value.
func PositionOf(due int64, seq uint64) order.Position {
	if due > LastAtOnce {
		due *= int64(time.Microsecond)
	}
	return order.Position{Due: due, Seq: seq}
}

// DueOf is the opposite of PositionOf.
func DueOf(p order.Position) int64 {
	if p.Due > LastAtOnce {
		return p.Due / int64(time.Microsecond)
	}
	return p.Due
}

// Retrying returns the due of a retry at a time, in microseconds: see order.Retrying.
func Retrying(at int64) int64 {
	return order.Retrying(at*int64(time.Microsecond)) / int64(time.Microsecond)
}
