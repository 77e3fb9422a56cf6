package page

import (
	"slices"

	"github.com/outhook/outhook/store"
)

// Walk calls visit for the items on the side of a boundary where the cursor points, those next to
// the boundary first, until visit returns false. It reads little beyond that. visit copies what it
// keeps.
type Walk[T any] func(from Cursor, visit func(at Position, item *T) bool) error

// Page returns the page of at most limit items that a cursor names, or of all if limit is zero,
// without a Total. likely is how many there will be as a rule.
func (w Walk[T]) Page(cursor string, limit, likely int) (store.Page[T], error) {
	c, err := w.collect(cursor, limit, likely)
	if err != nil {
		return store.Page[T]{}, err
	}
	other, err := w.other(c)
	if err != nil {
		return store.Page[T]{}, err
	}
	return c.Page(other), nil
}

// Step is Page for a caller that only goes on: it returns what was collected, and the cursor for
// the next step, empty after the last.
func (w Walk[T]) Step(cursor string, limit, likely int) (c *Collector[T], next string, err error) {
	if c, err = w.collect(cursor, limit, likely); err != nil {
		return nil, "", err
	}
	other := false
	if c.cursor.Back { // or else what lies behind it is not needed, and may be far to read
		if other, err = w.other(c); err != nil {
			return nil, "", err
		}
	}
	return c, c.Next(other), nil
}

// Count returns how many items there are on all pages.
func (w Walk[T]) Count() (n int, err error) {
	err = w(Cursor{At: Start()}, func(Position, *T) bool {
		n++
		return true
	})
	return n, err
}

func (w Walk[T]) collect(cursor string, limit, likely int) (*Collector[T], error) {
	c, err := Collect[T](cursor, limit, likely)
	if err != nil {
		return nil, err
	}
	return c, w(c.cursor, c.Add)
}

// other reports whether there is an item on the other side of the boundary.
func (w Walk[T]) other(c *Collector[T]) (found bool, err error) {
	from, ok := c.Other()
	if !ok {
		return false, nil
	}
	err = w(from, func(Position, *T) bool {
		found = true
		return false
	})
	return found, err
}

// Sorted returns a Walk of those of the items that are wanted. The items are sorted by position.
func Sorted[T any](items []T, at func(T) Position, wanted func(T) bool) Walk[T] {
	return func(from Cursor, visit func(Position, *T) bool) error {
		i, _ := slices.BinarySearchFunc(items, from.At, func(item T, p Position) int {
			return at(item).Compare(p)
		})
		step := 1
		if from.Back {
			i, step = i-1, -1
		}
		for ; i >= 0 && i < len(items); i += step {
			if wanted(items[i]) && !visit(at(items[i]), &items[i]) {
				return nil
			}
		}
		return nil
	}
}
