package pgstore

import (
	"math"
	"time"

	"github.com/outhook/outhook/store/internal/schedule"
)

// lastAtOnce is the last of the small numbers that the schedule has in place of a time for what is
// due at once. The database has them as they are, and times in microseconds: none that a clock
// shows is as small.
var lastAtOnce = schedule.Parked(math.MaxInt)

// positionOf returns where the schedule has a delivery of which the database has this due.
func positionOf(due int64, seq uint64) schedule.Position {
	if due > lastAtOnce {
		due *= int64(time.Microsecond)
	}
	return schedule.Position{Due: due, Seq: seq}
}

// dueOf is the opposite of positionOf.
func dueOf(p schedule.Position) int64 {
	if p.Due > lastAtOnce {
		return p.Due / int64(time.Microsecond)
	}
	return p.Due
}
