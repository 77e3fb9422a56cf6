package order

import "math"

// Window is the part that memory holds of an order of pending deliveries that the store has in
// full: those that are free to be claimed, up to a position. What comes after that position is
// loaded when the window is empty.
type Window struct {
	positions list
	upTo      Position // everything up to here is in positions, or leased
	complete  bool     // nothing comes after upTo
	loads     uint32   // changes whenever upTo moves

	// newest is the last position of the whole order, which a probe takes. It is known if the
	// window is complete, or was loaded from the other end and nothing has happened to it since.
	newest      Position
	newestKnown bool
}

// Empty returns a window that has nothing and nothing behind it. A zero Window has to load all.
func Empty() Window { return Window{complete: true} }

// Len returns how many positions the window holds.
func (w *Window) Len() int { return w.positions.size }

// Positions returns a copy of what the window holds, in its order.
func (w *Window) Positions() []Position { return w.positions.all() }

// UpTo returns up to where everything is in the window, or leased.
func (w *Window) UpTo() Position { return w.upTo }

// Complete reports whether nothing comes after UpTo.
func (w *Window) Complete() bool { return w.complete }

// Loads changes whenever UpTo does, so that a load for an older state is told apart.
func (w *Window) Loads() uint32 { return w.loads }

// Maybe reports whether there may be something in or behind the window.
func (w *Window) Maybe() bool { return w.positions.size > 0 || !w.complete }

// NeedsLoad reports whether the window must be loaded to know more.
func (w *Window) NeedsLoad() bool { return w.positions.size == 0 && !w.complete }

// First returns the first position.
func (w *Window) First() (p Position, ok bool) { return w.positions.first() }

// maxPassed is how many positions a probe passes over: there may be very many that are not to start
// before their time.
const maxPassed = 256

// Probe returns the first position that a probe may take; ok is false if there is none among those
// that it looks at.
func (w *Window) Probe(now int64) (p Position, ok bool) {
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

// Last returns the last position of the whole order. It must be known.
func (w *Window) Last() (p Position, ok bool) {
	switch {
	case !w.complete && w.newest != Position{}:
		return w.newest, true
	case w.positions.size > 0:
		return w.positions.last(), true
	}
	return Position{}, false
}

// NeedsNewest reports whether the last position of the whole order is to be loaded.
func (w *Window) NeedsNewest() bool { return !w.complete && !w.newestKnown }

// LacksNewest reports whether anything must be loaded to know the last position. If nothing was
// free at the other end, it is looked for from the front: Last then returns the last that is
// loaded.
func (w *Window) LacksNewest() bool {
	return w.NeedsNewest() || w.newestKnown && w.newest == Position{} && w.NeedsLoad()
}

// LoadNewest takes in what the last position is, if any is free.
func (w *Window) LoadNewest(p Position) { w.newest, w.newestKnown = p, true }

// After returns the first position whose Due is later than t.
func (w *Window) After(t int64) (p Position, ok bool) {
	return w.positions.from(Position{t, math.MaxUint64})
}

// Add puts a position in. One beyond the window is left for when that part is loaded, because the
// store has it. max bounds the window; 0 is no bound, for a store that has nothing else to load
// from.
func (w *Window) Add(p Position, max int) {
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

// Remove takes an event's position out, if it is in. It searches the whole window.
func (w *Window) Remove(seq uint64) {
	w.newestKnown = w.newestKnown && w.newest.Seq != seq
	w.positions.removeSeq(seq)
}

// RemovePosition is remove with the position known.
func (w *Window) RemovePosition(p Position) {
	w.newestKnown = w.newestKnown && w.newest != p
	w.positions.remove(p)
}

// Load puts what was loaded into an empty window.
func (w *Window) Load(positions []Position, upTo Position, complete bool) {
	w.positions.set(positions)
	w.moveTo(upTo, complete)
}

// Restart empties the window and makes it load again what comes after a position.
func (w *Window) Restart(after Position) {
	w.positions.set(nil)
	w.moveTo(after, false)
}

func (w *Window) moveTo(upTo Position, complete bool) {
	w.upTo, w.complete, w.newestKnown = upTo, complete, false
	w.loads++
}
