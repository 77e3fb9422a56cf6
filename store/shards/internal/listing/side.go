package listing

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// side is what one store has for a page.
type side[T any] struct {
	*Listing[T]
	index int // of the store
	from  entry
	items []T // in the order of the listing
	taken int // how many are on the page: the first, or on the way back the last

	total   int
	least   bool // total is a lower bound
	counted bool // the store has said the two

	searched time.Time // the SearchedTo of what was read last

	// The cursors around the items, as the store says; empty if nothing is there.
	next0, previous0 string
	tail             tail // on the way back from an end

	// What the merged page's cursors say of the store, once the page is cut.
	before, after entry
}

// tail is the page before the end of a listing, which begins where the boundary says.
type tail struct {
	items      int    // how many there are
	beforeText string // the cursor for what is before them
}

// The reads of a store that one page may take: its items, and those to find the boundaries around
// the ones that were taken. Both are two for the tail.
const (
	mostReads = 2
	tailReads = 2 * mostReads
)

// share returns how many records one read of the store may pass over, so that all reads of all
// stores together pass over page.Budget.
func (sd *side[T]) share(back bool) int {
	reads := mostReads
	if back && sd.from.kind == afterPage {
		reads = tailReads
	}
	return page.Budget / (reads * sd.Stores)
}

// read reads a page of the store. The first one counts, which costs as much for each page.
func (sd *side[T]) read(
	ctx context.Context, cursor string, limit int,
) (store.Page[T], error) {
	p, err := sd.List(ctx, sd.index, Read{Cursor: cursor, Limit: limit, Count: !sd.counted})
	sd.searched = p.SearchedTo
	if !sd.counted {
		sd.total, sd.least, sd.counted = p.Total, p.TotalIsLowerBound, true
	}
	return p, err
}

// isOpen reports whether the store has more behind its items in the direction of the page. If they
// are fewer than the page has room for, it has read as much as one call may: what others have may
// come behind what it has not read yet.
func (sd *side[T]) isOpen(back bool) bool {
	if back {
		return sd.previous0 != ""
	}
	return sd.next0 != ""
}

// something is the text of a cursor that nobody goes on from: that there is one counts.
const something = "-"

// load reads as much as a page can need of the store, before or after the boundary.
func (sd *side[T]) load(ctx context.Context, back bool) error {
	ctx = page.WithBudget(ctx, sd.share(back))
	if back {
		return sd.loadBack(ctx)
	}
	return sd.loadOn(ctx)
}

// loadOn reads what comes after the boundary.
func (sd *side[T]) loadOn(ctx context.Context) error {
	switch sd.from.kind {
	case atStart:
		sd.from = entry{}
	case afterPage, afterAll:
		// Nothing comes after it. Whether there is something before it is looked up.
		p, err := sd.read(ctx, sd.from.text, 1)
		sd.previous0 = p.Previous
		// A look that gave up on its way to the end, with a cursor to go on, has seen nothing, but
		// there may be something.
		if len(p.Items) > 0 || sd.from.kind == afterPage && p.Next != "" {
			sd.previous0 = something
		}
		return err
	}
	p, err := sd.read(ctx, sd.from.text, sd.Limit)
	sd.items, sd.next0, sd.previous0 = p.Items, p.Next, p.Previous
	return err
}

// loadBack reads what comes before the boundary.
func (sd *side[T]) loadBack(ctx context.Context) error {
	switch sd.from.kind {
	case atCursor:
		if sd.from.text == "" {
			sd.from = entry{kind: atStart}
		}
	case afterPage:
		return sd.loadTail(ctx)
	}
	if sd.from.kind == atStart {
		p, err := sd.read(ctx, "", 1)
		if len(p.Items) > 0 || p.Next != "" {
			sd.next0 = something
		}
		return err
	}
	p, err := sd.read(ctx, sd.from.text, sd.Limit)
	sd.items, sd.next0, sd.previous0 = p.Items, p.Next, p.Previous
	return err
}

// loadTail reads the last page before the end, and what is before that as far as there is room.
func (sd *side[T]) loadTail(ctx context.Context) error {
	p, err := sd.read(ctx, sd.from.text, sd.Limit)
	if err != nil {
		return err
	}
	// What lies behind p has come since the end was there, so the end is where p ends: a caller who
	// turns round finds it.
	sd.items, sd.next0, sd.previous0 = p.Items, p.Next, p.Previous
	sd.tail = tail{len(p.Items), p.Previous}
	if room := sd.Limit - len(p.Items); room > 0 && p.Previous != "" {
		q, err := sd.read(ctx, p.Previous, room)
		if err != nil {
			return err
		}
		sd.items, sd.previous0 = append(q.Items, p.Items...), q.Previous
	}
	return nil
}

// next returns the item that is next to the boundary, of those that are not taken.
func (sd *side[T]) next(back bool) *T {
	if back {
		return &sd.items[len(sd.items)-1-sd.taken]
	}
	return &sd.items[sd.taken]
}

// hasNext and hasPrevious report whether there is something after and before the page.
func (sd *side[T]) hasNext(back bool) bool {
	return sd.next0 != "" || !back && sd.taken < len(sd.items)
}

func (sd *side[T]) hasPrevious(back bool) bool {
	return sd.previous0 != "" || back && sd.taken < len(sd.items)
}
