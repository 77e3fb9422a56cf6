package schedule

import "math"

// window is the part that memory holds of an order of pending deliveries that the store has in
// full: those that are free to be claimed, up to a position. What comes after that position is
// loaded when the window is empty.
type window struct {
	positions ordered
	upTo      Position // everything up to here is in positions, or leased
	complete  bool     // nothing comes after upTo
	loads     uint32   // changes whenever upTo moves, so that a load for an older state is told apart

	// newest is the last position of the whole order, which a probe takes. It is known if the
	// window is complete, or was loaded from the other end and nothing has happened to it since.
	newest      Position
	newestKnown bool
}

// maybe reports whether there may be something in or behind the window.
func (w *window) maybe() bool { return w.positions.size > 0 || !w.complete }

// needsLoad reports whether the window must be loaded to know more.
func (w *window) needsLoad() bool { return w.positions.size == 0 && !w.complete }

// first returns the first position.
func (w *window) first() (p Position, ok bool) { return w.positions.first() }

// maxPassed is how many positions a probe passes over: there may be very many that are not to start
// before their time.
const maxPassed = 256

// probe returns the first position that a probe may take; ok is false if there is none among those
// that it looks at.
func (w *window) probe(now int64) (p Position, ok bool) {
	passed := 0
	for _, b := range w.positions.blocks {
		for _, p := range b {
			if p.Due <= now || !isScheduled(p.Due) {
				return p, true
			}
			if passed++; passed == maxPassed {
				return Position{}, false
			}
		}
	}
	return Position{}, false
}

// last returns the last position of the whole order. It must be known.
func (w *window) last() (p Position, ok bool) {
	switch {
	case !w.complete && w.newest != Position{}:
		return w.newest, true
	case w.positions.size > 0:
		return w.positions.last(), true
	}
	return Position{}, false
}

// needsNewest reports whether the last position of the whole order is to be loaded.
func (w *window) needsNewest() bool { return !w.complete && !w.newestKnown }

// lacksNewest reports whether anything must be loaded to know the last position. If nothing was
// free at the other end, it is looked for from the front: last then returns the last that is
// loaded.
func (w *window) lacksNewest() bool {
	return w.needsNewest() || w.newestKnown && w.newest == Position{} && w.needsLoad()
}

// loadNewest takes in what the last position is, if any is free.
func (w *window) loadNewest(p Position) { w.newest, w.newestKnown = p, true }

// after returns the first position whose Due is later than t.
func (w *window) after(t int64) (p Position, ok bool) {
	return w.positions.from(Position{t, math.MaxUint64})
}

// add puts a position in. One beyond the window is left for when that part is loaded, because the
// store has it. max bounds the window; 0 is no bound, for a store that has nothing else to load
// from.
func (w *window) add(p Position, max int) {
	// It may come after the last that was loaded, or before: the order has to be asked again.
	w.newestKnown = false
	if !w.complete && p.Compare(w.upTo) > 0 {
		return
	}
	w.positions.add(p)
	if max > 0 && w.positions.size > max {
		// What goes is read again when its part is loaded, and upTo says from where.
		w.positions.remove(w.positions.last())
		w.moveTo(w.positions.last(), false)
	}
}

// remove takes an event's position out, if it is in. It searches the whole window.
func (w *window) remove(seq uint64) {
	w.newestKnown = w.newestKnown && w.newest.Seq != seq
	w.positions.removeSeq(seq)
}

// removePosition is remove with the position known.
func (w *window) removePosition(p Position) {
	w.newestKnown = w.newestKnown && w.newest != p
	w.positions.remove(p)
}

// load puts what was loaded into an empty window.
func (w *window) load(positions []Position, upTo Position, complete bool) {
	w.positions.set(positions)
	w.moveTo(upTo, complete)
}

// restart empties the window and makes it load again what comes after a position.
func (w *window) restart(after Position) {
	w.positions.set(nil)
	w.moveTo(after, false)
}

func (w *window) moveTo(upTo Position, complete bool) {
	w.upTo, w.complete, w.newestKnown = upTo, complete, false
	w.loads++
}
