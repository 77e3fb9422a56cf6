package page

import (
	"slices"

	"github.com/outhook/outhook/store"
)

// Budget is how many records one page or one count may pass over because a filter does not select
// them. It is what a store reads in some ten milliseconds, so that many readers at once leave the
// machine to those who publish. What the page returns does not count.
const Budget = 5000

// lookBudget is Budget for the look at the other side of a page. To give up early costs a caller no
// more than a page that is empty.
const lookBudget = Budget / 10

// Walk calls visit for the items on the side of a boundary where the cursor points, those next to
// the boundary first, until visit returns false. It reads little beyond that. visit copies what it
// keeps.
//
// It gives up when it has passed over about as many records as the budget says, but never where it
// has begun. Then it returns where: everything up to there was visited.
type Walk[T any] func(
	from Cursor, budget int, visit func(at Position, item *T) bool,
) (gaveUp *Position, err error)

// Page returns the page of at most limit items that a cursor names, or of all if limit is zero,
// without a Total. likely is how many there will be as a rule.
func (w Walk[T]) Page(cursor string, limit, likely int) (store.Page[T], error) {
	p, _, err := w.Searched(cursor, limit, likely)
	return p, err
}

// Searched is Page that also returns where it has given up, nil if it has not.
func (w Walk[T]) Searched(
	cursor string, limit, likely int,
) (p store.Page[T], to *Position, err error) {
	c, err := w.collect(cursor, limit, likely)
	if err != nil {
		return p, nil, err
	}
	other, err := w.other(c)
	if err != nil {
		return p, nil, err
	}
	if c.isStopped {
		to = &c.stopped
	}
	return c.Page(other), to, nil
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

// StepBack is Step for a caller that goes from the end of the listing to its start. The first step,
// without a cursor, begins at from, which may be [End].
func (w Walk[T]) StepBack(
	cursor string, from Position, limit, likely int,
) (c *Collector[T], next string, err error) {
	if cursor == "" {
		cursor = Cursor{At: from, Back: true}.String()
	}
	if c, err = w.collect(cursor, limit, likely); err != nil {
		return nil, "", err
	}
	return c, c.previous(false), nil
}

// Count returns how many items there are on all pages, at most most. There are more, or may be, if
// it has ended before the last, there or with the budget.
func (w Walk[T]) Count(most int) (n int, more bool, err error) {
	gaveUp, err := w(Cursor{At: Start()}, Budget, func(Position, *T) bool {
		if n == most {
			more = true
			return false
		}
		n++
		return true
	})
	return n, more || gaveUp != nil, err
}

func (w Walk[T]) collect(cursor string, limit, likely int) (*Collector[T], error) {
	c, err := Collect[T](cursor, limit, likely)
	if err != nil {
		return nil, err
	}
	gaveUp, err := w(c.cursor, Budget, c.Add)
	if err == nil && gaveUp != nil {
		c.Stop(*gaveUp)
	}
	return c, err
}

// other reports whether there is an item on the other side of the boundary, or may be.
func (w Walk[T]) other(c *Collector[T]) (found bool, err error) {
	from, ok := c.Other()
	if !ok {
		return false, nil
	}
	gaveUp, err := w(from, lookBudget, func(Position, *T) bool {
		found = true
		return false
	})
	return found || gaveUp != nil, err
}

// Sorted returns a Walk of those of the items that are wanted. The items are sorted by position.
func Sorted[T any](items []T, at func(T) Position, wanted func(T) bool) Walk[T] {
	return func(
		from Cursor, budget int, visit func(Position, *T) bool,
	) (gaveUp *Position, err error) {
		i, _ := slices.BinarySearchFunc(items, from.At, func(item T, p Position) int {
			return at(item).Compare(p)
		})
		step := 1
		if from.Back {
			i, step = i-1, -1
		}
		for ; i >= 0 && i < len(items); i += step {
			p := at(items[i])
			switch {
			case wanted(items[i]):
				if !visit(p, &items[i]) {
					return nil, nil
				}
			case budget == 0:
				return &from.At, nil
			default:
				budget--
			}
			from = from.Pass(p)
		}
		return nil, nil
	}
}
