package schedule

import "cmp"

// Position is where a delivery stands among those of its subscription: retries by when they are due, first attempts,
// whose Due is 0, by their event.
type Position struct {
	Due int64  // nanoseconds of the store's clock; 0 for a first attempt
	Seq uint64 // the sequence number of the event
}

// Compare orders positions.
func (p Position) Compare(o Position) int {
	return cmp.Or(cmp.Compare(p.Due, o.Due), cmp.Compare(p.Seq, o.Seq))
}

// Source says where a delivery is claimed from.
type Source uint8

const (
	Packed    Source    = iota // first attempts that the store has packed together
	First                      // first attempts that have a record of their own
	Retry                      // what was attempted before, by when it is due
	windows                    // how many of the above there are: each is a window
	Implicit  = windows        // first attempts that only memory lists
	noneKnown = windows + 1
)

// source returns the window of a delivery that has a record of its own and stands at p.
func (p Position) source() Source {
	if p.Due == 0 {
		return First
	}
	return Retry
}
