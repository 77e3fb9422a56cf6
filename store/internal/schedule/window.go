package schedule

import (
	"math"
	"slices"
)

// window is the part that memory holds of an order of pending deliveries that the store has in full: those that are
// free to be claimed, up to a position. What comes after that position is loaded when the window is empty.
type window struct {
	positions []Position
	upTo      Position // everything up to here is in positions, or leased
	complete  bool     // nothing comes after upTo
	loads     uint32   // changes whenever upTo moves, so that a load for an older state is told apart
}

// maybe reports whether there may be something in or behind the window.
func (w *window) maybe() bool { return len(w.positions) > 0 || !w.complete }

// needsLoad reports whether the window must be loaded to know more.
func (w *window) needsLoad() bool { return len(w.positions) == 0 && !w.complete }

// first returns the first position.
func (w *window) first() (p Position, ok bool) {
	if len(w.positions) == 0 {
		return Position{}, false
	}
	return w.positions[0], true
}

// after returns the first position whose Due is later than t.
func (w *window) after(t int64) (p Position, ok bool) {
	i, _ := slices.BinarySearchFunc(w.positions, Position{t, math.MaxUint64}, Position.Compare)
	if i == len(w.positions) {
		return Position{}, false
	}
	return w.positions[i], true
}

// add puts a position in. One beyond the window is left for when that part is loaded, because the store has it. max
// bounds the window; 0 is no bound, for a store that has nothing else to load from.
func (w *window) add(p Position, max int) {
	if !w.complete && p.Compare(w.upTo) > 0 {
		return
	}
	i, found := slices.BinarySearchFunc(w.positions, p, Position.Compare)
	if found {
		return
	}
	w.positions = slices.Insert(w.positions, i, p)
	if max > 0 && len(w.positions) > max {
		w.positions = w.positions[:max]
		w.moveTo(w.positions[max-1], false)
	}
}

// remove takes an event's position out, if it is in. Windows are short, and those without a bound are asked for what
// was just claimed, which is near the front.
func (w *window) remove(seq uint64) {
	i := slices.IndexFunc(w.positions, func(p Position) bool { return p.Seq == seq })
	w.removeAt(i)
}

// removePosition is remove for who knows the position.
func (w *window) removePosition(p Position) {
	if i, found := slices.BinarySearchFunc(w.positions, p, Position.Compare); found {
		w.removeAt(i)
	}
}

func (w *window) removeAt(i int) {
	if i < 0 {
		return
	}
	w.positions = slices.Delete(w.positions, i, i+1)
	if len(w.positions) == 0 {
		w.positions = nil // thousands of windows are empty: they hold no memory
	}
}

// load puts what was loaded into an empty window.
func (w *window) load(positions []Position, upTo Position, complete bool) {
	if w.positions = positions; len(positions) == 0 {
		w.positions = nil
	}
	w.moveTo(upTo, complete)
}

// restart empties the window and makes it load again what comes after a position.
func (w *window) restart(after Position) {
	w.positions = nil
	w.moveTo(after, false)
}

func (w *window) moveTo(upTo Position, complete bool) {
	w.upTo, w.complete = upTo, complete
	w.loads++
}
