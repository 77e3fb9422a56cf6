package listing

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

// Listing makes pages of what several stores list. All fields are needed. It is for one call.
type Listing[T any] struct {
	Stores int // how many
	Calls  *calls.Group

	Limit int // of a page; zero if there is none

	// List returns a page of a store, and Wrap an error of a store with its name. The context of
	// List says how many records it may pass over (page.BudgetOf).
	List func(ctx context.Context, i int, r Read) (store.Page[T], error)
	Wrap func(i int, err error) error

	Before func(a, b *T) bool        // the order, the same in each store
	Hides  func(i int, item *T) bool // whether a store shows what is another's
}

// Read is what is read of one store.
type Read struct {
	Cursor string // the store's own
	Limit  int    // of the page; zero if there is none
	Count  bool   // whether its Total is needed
}

// Page returns the page of all stores together that a cursor names.
func (l *Listing[T]) Page(ctx context.Context, at Cursor) (store.Page[T], error) {
	sides, err := l.read(ctx, &at)
	if err != nil {
		return store.Page[T]{}, err
	}
	l.merge(sides, at.back)
	return l.page(ctx, sides, at.back)
}

// Of returns the page of one store that a cursor names. It returns the store's error as it is.
func (l *Listing[T]) Of(ctx context.Context, i int, at Cursor) (store.Page[T], error) {
	found, err := l.List(ctx, i, Read{Cursor: at.In(i), Limit: l.Limit, Count: true})
	found.Next, found.Previous = One(i, found.Next), One(i, found.Previous)
	return found, err
}

// read reads from all stores as much as a page can need of each.
func (l *Listing[T]) read(ctx context.Context, at *Cursor) ([]*side[T], error) {
	sides := make([]*side[T], l.Stores)
	for i := range sides {
		sides[i] = &side[T]{Listing: l, index: i, from: at.of(i)}
	}
	answers, err := calls.Each(ctx, l.Calls, sides,
		func(ctx context.Context, sd *side[T]) (struct{}, error) {
			return struct{}{}, sd.load(ctx, at.back)
		})
	for i := range answers {
		if err == nil {
			err = l.Wrap(i, answers[i].Err)
		}
	}
	return sides, err
}

// merge says how many items of each side are on the page: of those that come next to the boundary
// in the order of all. It ends where a store may have something next that it has not read yet: the
// page is short then, and the next one goes on.
func (l *Listing[T]) merge(sides []*side[T], back bool) {
	// The sides are few, so the next is looked for among all, without a heap.
	for n := 0; l.Limit == 0 || n < l.Limit; n++ {
		var next *side[T]
		for _, sd := range sides {
			if sd.taken == len(sd.items) {
				if sd.isOpen(back) {
					return
				}
				continue
			}
			// If they are equal, the first store's comes first, which is last on the way back.
			if next == nil || !back && l.Before(sd.next(back), next.next(back)) ||
				back && !l.Before(sd.next(back), next.next(back)) {
				next = sd
			}
		}
		if next == nil {
			return
		}
		next.taken++
	}
}

// page returns the page that the sides make.
func (l *Listing[T]) page(
	ctx context.Context, sides []*side[T], back bool,
) (found store.Page[T], err error) {
	next, previous := Cursor{}, Cursor{back: true}
	var more, before bool
	found.SearchedTo = searchedTo(sides, back) // before cut, which reads again
	for _, sd := range sides {
		more = more || sd.hasNext(back)
		before = before || sd.hasPrevious(back)
		found.Total += sd.total
		found.TotalIsLowerBound = found.TotalIsLowerBound || sd.least
		// A read of each store that has items left over.
		if err := sd.cut(ctx, back); err != nil {
			return store.Page[T]{}, l.Wrap(sd.index, err)
		}
		next.entries = append(next.entries, sd.after)
		previous.entries = append(previous.entries, sd.before)
	}
	found.Items = l.inOrder(sides)
	if more {
		found.Next = next.String()
	}
	if before {
		found.Previous = previous.String()
	}
	return found, nil
}

// searchedTo returns how far all stores have searched, if one of them has stopped before the page
// was full; otherwise it is zero. It is the nearest of those at which the page ends.
func searchedTo[T any](sides []*side[T], back bool) (to time.Time) {
	for _, sd := range sides {
		at := sd.searched
		if sd.taken < len(sd.items) || !sd.isOpen(back) || at.IsZero() {
			continue
		}
		if to.IsZero() || !back && at.After(to) || back && at.Before(to) {
			to = at
		}
	}
	return to
}

// inOrder returns the items of all sides, but for those that a store hides. These have had their
// place on the page, which is shorter then: both stores that show a tenant count it.
func (l *Listing[T]) inOrder(sides []*side[T]) (all []T) {
	for _, sd := range sides {
		sd.taken = 0
	}
	for {
		var next *side[T]
		for _, sd := range sides {
			if sd.taken < len(sd.items) &&
				(next == nil || l.Before(&sd.items[sd.taken], &next.items[next.taken])) {
				next = sd
			}
		}
		if next == nil {
			return slices.Clip(all)
		}
		item := &next.items[next.taken]
		next.taken++
		if !l.Hides(next.index, item) {
			all = append(all, *item)
		}
	}
}
