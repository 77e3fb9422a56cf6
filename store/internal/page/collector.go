package page

import (
	"slices"

	"github.com/outhook/outhook/store"
)

// Collector makes a page of the items that a store reads. Make one with [Collect].
type Collector[T any] struct {
	cursor        Cursor
	limit, likely int

	items     []T
	positions []Position
	more      bool     // there is something on this side beyond the items, or may be
	stopped   Position // see Stop
	isStopped bool
}

// Collect returns an empty Collector for the page that a cursor names: of at most limit items, or
// of all if limit is zero. likely is how many there will be as a rule; room for them is made at
// once.
func Collect[T any](cursor string, limit, likely int) (*Collector[T], error) {
	at, err := Parse(cursor)
	if err != nil {
		return nil, err
	}
	if limit > 0 {
		likely = min(likely, limit)
	}
	return &Collector[T]{cursor: at, limit: limit, likely: likely}, nil
}

// Cursor returns where the page begins, and its direction.
func (c *Collector[T]) Cursor() Cursor { return c.cursor }

// Fetch returns how many items a store must read to fill the page and know whether there are more;
// zero if all.
func (c *Collector[T]) Fetch() int {
	if c.limit == 0 {
		return 0
	}
	return c.limit + 1
}

// Add takes in the next item on the cursor's side, the one next to the boundary first, and reports
// whether it wants another. It copies the item.
func (c *Collector[T]) Add(at Position, item *T) bool {
	if c.limit > 0 && len(c.items) == c.limit {
		c.more = true
		return false
	}
	if c.items == nil { // a slice that grows is copied several times, which costs more than reading
		c.items, c.positions = make([]T, 0, c.likely), make([]Position, 0, c.likely)
	}
	c.items, c.positions = append(c.items, *item), append(c.positions, at)
	return true
}

// Stop ends the page at a boundary before its limit is reached: everything up to there has been
// read, and there may be more beyond it. It is called last.
func (c *Collector[T]) Stop(at Position) { c.more, c.stopped, c.isStopped = true, at, true }

// Other returns where to look for items on the other side of the page's boundary; ok is false if
// there can be none.
func (c *Collector[T]) Other() (other Cursor, ok bool) {
	other = Cursor{At: c.cursor.At, Back: !c.cursor.Back}
	return other, c.cursor != Cursor{At: Start()}
}

// far returns the boundary at the end of the page that is away from its cursor.
func (c *Collector[T]) far() Position {
	switch n := len(c.positions); {
	case c.isStopped:
		return c.stopped
	case n == 0:
		return c.cursor.At
	default:
		return c.cursor.Pass(c.positions[n-1]).At
	}
}

// Next returns the cursor for what follows the page; empty if nothing does. other says whether
// there is anything on the other side of the page's boundary.
func (c *Collector[T]) Next(other bool) string {
	switch {
	case c.cursor.Back && other:
		return Cursor{At: c.cursor.At}.String()
	case !c.cursor.Back && c.more:
		return Cursor{At: c.far()}.String()
	}
	return ""
}

// previous is Next for what comes before the page.
func (c *Collector[T]) previous(other bool) string {
	switch {
	case !c.cursor.Back && other:
		return Cursor{At: c.cursor.At, Back: true}.String()
	case c.cursor.Back && c.more:
		return Cursor{At: c.far(), Back: true}.String()
	}
	return ""
}

// Items returns the items in the order of the listing. The caller owns them, and Add must not be
// called any more; the same holds for Positions and Page.
func (c *Collector[T]) Items() []T { return inOrder(c.items, c.cursor) }

// Positions returns where the items stand.
func (c *Collector[T]) Positions() []Position { return inOrder(c.positions, c.cursor) }

// Page returns the page, without a Total. other is as in Next.
func (c *Collector[T]) Page(other bool) store.Page[T] {
	return store.Page[T]{Items: c.Items(), Next: c.Next(other), Previous: c.previous(other)}
}

// inOrder returns what was collected in the order of the listing. It leaves its argument as it is.
func inOrder[T any](collected []T, from Cursor) []T {
	if !from.Back {
		return collected
	}
	collected = slices.Clone(collected)
	slices.Reverse(collected)
	return collected
}

// Map returns a page with something else for each item.
func Map[T, R any](p store.Page[T], f func(*T) R) store.Page[R] {
	out := store.Page[R]{
		Next: p.Next, Previous: p.Previous, SearchedTo: p.SearchedTo,
		Total: p.Total, TotalIsLowerBound: p.TotalIsLowerBound,
	}
	if len(p.Items) > 0 {
		out.Items = make([]R, len(p.Items))
	}
	for i := range p.Items {
		out.Items[i] = f(&p.Items[i])
	}
	return out
}
