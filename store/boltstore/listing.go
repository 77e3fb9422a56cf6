package boltstore

import (
	"slices"

	"github.com/outhook/outhook/store"
)

// item is one of a listing, with where it stands.
type item[T any] struct {
	spot  spot
	value T
}

// walker calls visit for the items from a spot on in a direction, until visit returns false. Forward, the spot is
// included; backward, it is not.
type walker[T any] func(from spot, d direction, visit func(item[T]) bool) error

// page returns the page of at most limit items that the cursor names, and where the items stand. start is the beginning
// of the listing.
func (walk walker[T]) page(cursor string, start spot, limit int) (page store.Page[T], spots []spot, err error) {
	at, d, err := parseCursor(cursor, start)
	if err != nil {
		return page, nil, err
	}
	items, more, err := walk.take(at, d, limit)
	if err != nil {
		return page, nil, err
	}
	first, end := at, at
	if d == backward {
		slices.Reverse(items)
		if len(items) > 0 {
			first = items[0].spot
		}
	} else if len(items) > 0 {
		end = items[len(items)-1].spot.next()
	}
	before, after := more, more // is there something on the side where we went on, and on the other?
	if d == forward {
		before, err = walk.any(first, backward, cursor != "")
	} else {
		after, err = walk.any(end, forward, true)
	}
	if before {
		page.Previous = backward.cursor(first)
	}
	if after {
		page.Next = forward.cursor(end)
	}
	for _, i := range items {
		page.Items = append(page.Items, i.value)
		spots = append(spots, i.spot)
	}
	return page, spots, err
}

// take returns at most limit items, and whether there are more.
func (walk walker[T]) take(from spot, d direction, limit int) (items []item[T], more bool, err error) {
	err = walk(from, d, func(i item[T]) bool {
		if len(items) == limit {
			more = true
			return false
		}
		items = append(items, i)
		return true
	})
	return items, more, err
}

// any reports whether there is an item, if there can be one.
func (walk walker[T]) any(from spot, d direction, possible bool) (found bool, err error) {
	if possible {
		err = walk(from, d, func(item[T]) bool {
			found = true
			return false
		})
	}
	return found, err
}
