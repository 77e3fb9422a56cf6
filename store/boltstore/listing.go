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
type walker[T any] func(from spot, d direction, visit func(*item[T]) bool) error

// part is the items on the side of a boundary where a cursor points.
type part[T any] struct {
	items []T    // in the order of the listing
	spots []spot // where they stand
	at    spot   // the boundary
	side  direction
	more  bool // there is something on this side beyond the items
}

// part returns at most limit items on the side of the boundary that the cursor names. start is the
// beginning of the listing, and likely is how many there will be as a rule.
func (walk walker[T]) part(cursor string, start spot, limit, likely int) (p part[T], err error) {
	if p.at, p.side, err = parseCursor(cursor, start); err != nil {
		return p, err
	}
	err = walk(p.at, p.side, func(i *item[T]) bool {
		if p.more = len(p.items) == limit; p.more {
			return false
		}
		if p.items == nil { // copying what grows costs more than reading it
			p.items, p.spots = make([]T, 0, likely), make([]spot, 0, likely)
		}
		p.items, p.spots = append(p.items, i.value), append(p.spots, i.spot)
		return true
	})
	if p.side == backward {
		slices.Reverse(p.items)
		slices.Reverse(p.spots)
	}
	return p, err
}

// ends returns the boundaries before the first item and after the last.
func (p *part[T]) ends() (first, end spot) {
	first, end = p.at, p.at
	switch n := len(p.items); {
	case n == 0:
	case p.side == backward:
		first = p.spots[0]
	default:
		end = p.spots[n-1].next()
	}
	return first, end
}

// next returns the cursor for what follows the part; empty if nothing does.
func (walk walker[T]) next(p *part[T]) (cursor string, err error) {
	_, end := p.ends()
	after := p.more
	if p.side == backward {
		after, err = walk.any(end, forward)
	}
	if after {
		cursor = forward.cursor(end)
	}
	return cursor, err
}

// previous is next for what comes before the part. It may read far: with a filter that few items
// pass, up to the beginning of the listing. So a caller that takes steps in one direction must not
// ask for it; each step would read again all that the steps before it have passed.
func (walk walker[T]) previous(p *part[T], cursor string) (previous string, err error) {
	first, _ := p.ends()
	before := p.more
	if p.side == forward {
		before = false
		if cursor != "" {
			before, err = walk.any(first, backward)
		}
	}
	if before {
		previous = backward.cursor(first)
	}
	return previous, err
}

// page returns the page of at most limit items that the cursor names.
func (walk walker[T]) page(cursor string, start spot, limit, likely int) (page store.Page[T], err error) {
	p, err := walk.part(cursor, start, limit, likely)
	if err != nil {
		return page, err
	}
	page.Items = p.items
	if page.Next, err = walk.next(&p); err != nil {
		return page, err
	}
	page.Previous, err = walk.previous(&p, cursor)
	return page, err
}

// any reports whether there is an item.
func (walk walker[T]) any(from spot, d direction) (found bool, err error) {
	err = walk(from, d, func(*item[T]) bool {
		found = true
		return false
	})
	return found, err
}
