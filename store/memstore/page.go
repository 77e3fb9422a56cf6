package memstore

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// place is where an item stands in a listing: by the first number, then by the second.
type place [2]uint64

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
}

// next returns the place right after p.
func (p place) next() place { return place{p[0], p[1] + 1} }

// A cursor names a boundary in a listing, between what stands before a place and the rest, and on which side of it the
// page is.
type direction string

const (
	forward  direction = "n" // the page begins at the place
	backward direction = "p" // the page ends before it
)

// cursor returns the cursor for the page in the direction from p.
func (d direction) cursor(p place) string { return fmt.Sprintf("%s-%d-%d", d, p[0], p[1]) }

// parseCursor is the opposite of cursor. An empty one is the beginning.
func parseCursor(cursor string) (place, direction, error) {
	var p place
	if cursor == "" {
		return p, forward, nil
	}
	for _, d := range []direction{forward, backward} {
		n, _ := fmt.Sscanf(cursor, string(d)+"-%d-%d", &p[0], &p[1])
		if n == 2 && cursor == d.cursor(p) {
			return p, d, nil
		}
	}
	return p, "", &events.InvalidError{Field: "cursor", Reason: "is none of ours; pass one of an earlier page"}
}

// walk iterates over a listing from a place on: forward with the place, backward without it. It
// reads no further than it is asked to.
type walk[T any] func(from place, d direction) iter.Seq[T]

// walkOf returns a walk of those of the items that are wanted. The items are sorted by place.
func walkOf[T any](items []T, placeOf func(T) place, wanted func(T) bool) walk[T] {
	return func(from place, d direction) iter.Seq[T] {
		return func(yield func(T) bool) {
			i, _ := slices.BinarySearchFunc(items, from, func(item T, at place) int {
				return comparePlaces(placeOf(item), at)
			})
			step := 1
			if d == backward {
				i, step = i-1, -1
			}
			for ; i >= 0 && i < len(items); i += step {
				if wanted(items[i]) && !yield(items[i]) {
					return
				}
			}
		}
	}
}

// part is the items on the side of a boundary where a cursor points.
type part[T any] struct {
	items []T // in the order of the listing
	at    place
	side  direction
	more  bool // there is something on this side beyond the items

	first, end place // the boundaries before the first item and after the last
}

// part returns at most limit items, all if it is zero, on the side of the boundary that the cursor
// names.
func (w walk[T]) part(placeOf func(T) place, cursor string, limit int) (p part[T], err error) {
	if p.at, p.side, err = parseCursor(cursor); err != nil {
		return p, err
	}
	for item := range w(p.at, p.side) {
		if limit > 0 && len(p.items) == limit {
			p.more = true
			break
		}
		p.items = append(p.items, item)
	}
	p.first, p.end = p.at, p.at
	switch n := len(p.items); {
	case n == 0:
	case p.side == backward:
		slices.Reverse(p.items)
		p.first = placeOf(p.items[0])
	default:
		p.end = placeOf(p.items[n-1]).next()
	}
	return p, nil
}

// next returns the cursor for what follows the part; empty if nothing does.
func (w walk[T]) next(p *part[T]) string {
	if p.side == forward && p.more || p.side == backward && w.any(p.end, forward) {
		return forward.cursor(p.end)
	}
	return ""
}

// previous is next for what comes before the part. With a filter that few items pass it may read up
// to the beginning of the listing, so what takes steps in one direction does not ask for it.
func (w walk[T]) previous(p *part[T]) string {
	if p.side == backward && p.more || p.side == forward && w.any(p.first, backward) {
		return backward.cursor(p.first)
	}
	return ""
}

func (w walk[T]) any(from place, d direction) bool {
	for range w(from, d) {
		return true
	}
	return false
}

// page returns the page that the cursor names, and its items.
func page[T, R any](w walk[T], placeOf func(T) place, record func(T) R, cursor string, limit int) (store.Page[R], error) {
	p, err := w.part(placeOf, cursor, limit)
	if err != nil {
		return store.Page[R]{}, err
	}
	page := store.Page[R]{Next: w.next(&p), Previous: w.previous(&p)}
	for _, item := range p.items {
		page.Items = append(page.Items, record(item))
	}
	return page, nil
}
