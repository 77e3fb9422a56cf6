package schedule

import "math"

// window is the part that memory holds of an order of pending deliveries that the store has in full: those that are
// free to be claimed, up to a position. What comes after that position is loaded when the window is empty.
type window struct {
	positions ordered
	upTo      Position // everything up to here is in positions, or leased
	complete  bool     // nothing comes after upTo
	loads     uint32   // changes whenever upTo moves, so that a load for an older state is told apart
}

// maybe reports whether there may be something in or behind the window.
func (w *window) maybe() bool { return w.positions.size > 0 || !w.complete }

// needsLoad reports whether the window must be loaded to know more.
func (w *window) needsLoad() bool { return w.positions.size == 0 && !w.complete }

// first returns the first position.
func (w *window) first() (p Position, ok bool) { return w.positions.first() }

// after returns the first position whose Due is later than t.
func (w *window) after(t int64) (p Position, ok bool) {
	return w.positions.from(Position{t, math.MaxUint64})
}

// add puts a position in. One beyond the window is left for when that part is loaded, because the store has it. max
// bounds the window; 0 is no bound, for a store that has nothing else to load from.
func (w *window) add(p Position, max int) {
	if !w.complete && p.Compare(w.upTo) > 0 {
		return
	}
	w.positions.add(p)
	if max > 0 && w.positions.size > max {
		w.positions.remove(w.positions.last())
		w.moveTo(w.positions.last(), false)
	}
}

// remove takes an event's position out, if it is in. It searches the whole window.
func (w *window) remove(seq uint64) { w.positions.removeSeq(seq) }

// removePosition is remove for who knows the position.
func (w *window) removePosition(p Position) { w.positions.remove(p) }

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
	w.upTo, w.complete = upTo, complete
	w.loads++
}
