package boltstore

import (
	"cmp"
	"math"
	"slices"
)

// place is where a delivery stands among those of its subscription that are claimed from the file: retries by when they
// are due, first attempts, whose due is 0, by their event.
type place struct {
	due int64
	seq uint64
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.seq, b.seq))
}

// maxWindow is how many places a window holds.
const maxWindow = 64

// window is the part that memory holds of a subscription's pending deliveries in the file, in their order: those that
// are free to be claimed, up to a place. What comes after that place is loaded when the window is empty.
type window struct {
	places   []place
	upTo     place // all to here is in places, or leased
	complete bool  // nothing comes after
}

// maybe reports whether there may be something in or behind the window.
func (w *window) maybe() bool { return len(w.places) > 0 || !w.complete }

// hungry reports whether the window must be loaded to know more.
func (w *window) hungry() bool { return len(w.places) == 0 && !w.complete }

// first returns the first place.
func (w *window) first() (p place, ok bool) {
	if len(w.places) == 0 {
		return place{}, false
	}
	return w.places[0], true
}

// after returns the first place whose due is later than t.
func (w *window) after(t int64) (p place, ok bool) {
	i, _ := slices.BinarySearchFunc(w.places, place{t, math.MaxUint64}, comparePlaces)
	if i == len(w.places) {
		return place{}, false
	}
	return w.places[i], true
}

// add puts a place in. One beyond the window is left for when it is loaded, because the file has it.
func (w *window) add(p place) {
	if !w.complete && comparePlaces(p, w.upTo) > 0 {
		return
	}
	i, found := slices.BinarySearchFunc(w.places, p, comparePlaces)
	if found {
		return
	}
	w.places = slices.Insert(w.places, i, p)
	if len(w.places) > maxWindow {
		w.places = w.places[:maxWindow]
		w.upTo, w.complete = w.places[maxWindow-1], false
	}
}

// remove takes an event's place out, if it is in.
func (w *window) remove(seq uint64) {
	for i, p := range w.places {
		if p.seq == seq {
			w.places = slices.Delete(w.places, i, i+1)
			break
		}
	}
	if len(w.places) == 0 {
		w.places = nil
	}
}

// load replaces the places of an empty window by what comes after it. If there is no more behind these, done.
func (w *window) load(places []place, upTo place, done bool) {
	w.places, w.upTo, w.complete = places, upTo, done
}

// restart makes the window load again what comes after a place.
func (w *window) restart(after place) { *w = window{upTo: after} }
