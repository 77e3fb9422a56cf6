package listing

import (
	"context"

	"github.com/outhook/outhook/store"
)

// side is what one store has for a page.
type side[T any] struct {
	*Listing[T]
	index int // of the store
	from  entry
	items []T // in the order of the listing
	total int
	least bool // total is a lower bound
	taken int  // how many are on the page: the first, or on the way back the last

	// The cursors around the items, as the store says; empty if nothing is there.
	next0, previous0 string
	// On the way back from an end: the page before it that begins at from.text has so many items,
	// and this cursor leads to what is before that.
	tail       int
	beforeTail string

	// What the merged page's cursors say of the store, once the page is cut.
	before, after entry
}

// read reads a page of the store, on or back. It reads on while the page is short and there may be
// more: what other stores have may not go before what this one has not looked at yet.
func (sd *side[T]) read(
	ctx context.Context, cursor string, limit int, back bool,
) (p store.Page[T], err error) {
	p, err = sd.List(ctx, sd.index, cursor, limit)
	sd.least = sd.least || p.TotalIsLowerBound
	for err == nil && limit > 0 && len(p.Items) < limit {
		on := p.Next
		if back {
			on = p.Previous
		}
		if on == "" {
			break
		}
		var q store.Page[T]
		q, err = sd.List(ctx, sd.index, on, limit-len(p.Items))
		if back {
			p.Items, p.Previous = append(q.Items, p.Items...), q.Previous
		} else {
			p.Items, p.Next = append(p.Items, q.Items...), q.Next
		}
	}
	return p, err
}

// readOn reads what comes after the boundary.
func (sd *side[T]) readOn(ctx context.Context) error {
	switch sd.from.kind {
	case atStart:
		sd.from = entry{}
	case afterPage, afterAll:
		// Nothing comes after it. Whether there is something before it is looked up.
		p, err := sd.read(ctx, sd.from.text, 1, sd.from.kind == afterAll)
		sd.total = p.Total
		sd.previous0 = p.Previous
		if len(p.Items) > 0 {
			sd.previous0 = sd.from.text + "-" // any: only whether there is one counts
		}
		return err
	}
	p, err := sd.read(ctx, sd.from.text, sd.Limit, false)
	sd.items, sd.total, sd.next0, sd.previous0 = p.Items, p.Total, p.Next, p.Previous
	return err
}

// readBack reads what comes before the boundary.
func (sd *side[T]) readBack(ctx context.Context) error {
	switch sd.from.kind {
	case atCursor:
		if sd.from.text == "" {
			sd.from = entry{kind: atStart}
		}
	case afterPage:
		return sd.readTail(ctx)
	}
	if sd.from.kind == atStart {
		p, err := sd.read(ctx, "", 1, false)
		sd.total = p.Total
		if len(p.Items) > 0 {
			sd.next0 = "-" // any, as above
		}
		return err
	}
	p, err := sd.read(ctx, sd.from.text, sd.Limit, true)
	sd.items, sd.total, sd.next0, sd.previous0 = p.Items, p.Total, p.Next, p.Previous
	return err
}

// readTail reads the last page before the end, and what is before that as far as there is room.
func (sd *side[T]) readTail(ctx context.Context) error {
	p, err := sd.read(ctx, sd.from.text, sd.Limit, false)
	for err == nil && p.Next != "" { // more has come since
		sd.from.text = p.Next
		p, err = sd.read(ctx, sd.from.text, sd.Limit, false)
	}
	if err != nil {
		return err
	}
	sd.items, sd.total, sd.tail = p.Items, p.Total, len(p.Items)
	sd.beforeTail, sd.previous0 = p.Previous, p.Previous
	if room := sd.Limit - len(p.Items); room > 0 && p.Previous != "" {
		q, err := sd.read(ctx, p.Previous, room, true)
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

// cut leaves the items that were taken, and finds the boundaries around them.
func (sd *side[T]) cut(ctx context.Context, back bool) error {
	if back {
		return sd.cutBack(ctx)
	}
	if n := sd.taken; n > 0 && n < len(sd.items) {
		p, err := sd.read(ctx, sd.from.text, n, false)
		if err != nil {
			return err
		}
		sd.items, sd.next0 = p.Items, p.Next
	}
	if sd.from.kind != atCursor {
		sd.items, sd.before, sd.after = nil, sd.from, sd.from
		return nil
	}
	sd.before = backTo(sd.previous0)
	switch {
	case sd.taken == 0:
		sd.items, sd.after = nil, sd.from
	case sd.next0 == "":
		sd.after = entry{afterPage, sd.from.text}
	default:
		sd.after = entry{atCursor, sd.next0}
	}
	return nil
}

// backTo returns the boundary that a cursor back is of; the start if there is none.
func backTo(previous string) entry {
	if previous == "" {
		return entry{kind: atStart}
	}
	return entry{atCursor, previous}
}

// cutBack is cut on the way back.
func (sd *side[T]) cutBack(ctx context.Context) error {
	switch sd.from.kind {
	case atStart:
		sd.before, sd.after = sd.from, entry{}
		return nil
	case afterPage:
		return sd.cutTail(ctx)
	}
	if n := sd.taken; n > 0 && n < len(sd.items) {
		p, err := sd.read(ctx, sd.from.text, n, true)
		if err != nil {
			return err
		}
		sd.items, sd.previous0 = p.Items, p.Previous
	}
	if sd.before = backTo(sd.previous0); sd.taken == 0 {
		sd.items, sd.before = nil, sd.from
	}
	if sd.after = (entry{atCursor, sd.next0}); sd.next0 == "" {
		sd.after = entry{afterAll, sd.from.text}
	}
	return nil
}

// cutTail is cut on the way back from the end, for which there is no cursor.
func (sd *side[T]) cutTail(ctx context.Context) error {
	sd.after = sd.from
	n, all := sd.taken, len(sd.items)
	switch {
	case n == 0:
		sd.items, sd.before = nil, sd.from
	case n == all:
		sd.before = backTo(sd.previous0)
	case n == sd.tail:
		sd.items, sd.before = sd.items[all-n:], backTo(sd.beforeTail)
	case n > sd.tail:
		p, err := sd.read(ctx, sd.beforeTail, n-sd.tail, true)
		if err != nil {
			return err
		}
		sd.items, sd.before = append(p.Items, sd.items[all-sd.tail:]...), backTo(p.Previous)
	default:
		// The boundary is within the page: forward to it, and then back from what follows.
		p, err := sd.read(ctx, sd.from.text, sd.tail-n, false)
		if err == nil && p.Next != "" {
			p, err = sd.read(ctx, p.Next, n, false)
		}
		if err != nil {
			return err
		}
		sd.items, sd.before = p.Items, backTo(p.Previous)
	}
	return nil
}
