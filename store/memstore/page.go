package memstore

import (
	"cmp"
	"fmt"
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

// cut returns the page of items, which are sorted by place, that the cursor names. A limit of zero is none.
func cut[T any](items []T, placeOf func(T) place, cursor string, limit int) (store.Page[T], error) {
	at, toward, err := parseCursor(cursor)
	if err != nil {
		return store.Page[T]{}, err
	}
	if limit <= 0 {
		limit = len(items)
	}
	boundary, _ := slices.BinarySearchFunc(items, at, func(item T, at place) int {
		return comparePlaces(placeOf(item), at)
	})
	first, end := boundary, min(boundary+limit, len(items))
	back := toward == backward
	if back {
		first, end = max(boundary-limit, 0), boundary
	}
	page := store.Page[T]{Items: items[first:end]}
	after, before := at, at // where the pages around this one meet it
	switch {
	case back && first < end:
		before = placeOf(items[first])
	case !back && first < end:
		after = placeOf(items[end-1]).next()
	}
	if end < len(items) {
		page.Next = forward.cursor(after)
	}
	if first > 0 {
		page.Previous = backward.cursor(before)
	}
	return page, nil
}
