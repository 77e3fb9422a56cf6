package listing

import (
	"context"

	"github.com/outhook/outhook/store/internal/page"
)

// cut leaves the items that were taken, and finds the boundaries around them. Where the page ends
// among the items of the store, the store must be asked for the boundary: only it can make a
// cursor.
func (sd *side[T]) cut(ctx context.Context, back bool) error {
	ctx = page.WithBudget(ctx, sd.share(back))
	switch {
	case !back:
		return sd.cutOn(ctx)
	case sd.from.kind == afterPage:
		return sd.cutTail(ctx)
	}
	return sd.cutBack(ctx)
}

// cutOn is cut on the way on.
func (sd *side[T]) cutOn(ctx context.Context) error {
	if n := sd.taken; n > 0 && n < len(sd.items) {
		p, err := sd.read(ctx, sd.from.text, n)
		if err != nil {
			return err
		}
		// Some may be gone since, and then the page is shorter; its boundary is right nevertheless.
		sd.items, sd.next0 = p.Items, p.Next
	}
	if sd.from.kind != atCursor { // the end stays the end
		sd.items, sd.before, sd.after = nil, sd.from, sd.from
		return nil
	}
	sd.before = backTo(sd.previous0)
	switch {
	case sd.stays(sd.next0):
		sd.items, sd.after = nil, sd.from
	case sd.next0 == "":
		sd.after = entry{afterPage, sd.from.text}
	default:
		sd.after = entry{atCursor, sd.next0}
	}
	return nil
}

// stays reports whether the page moves no boundary in the store, given the cursor behind its items.
// It moves one if the store has read as much as one call may and found nothing: the next page goes
// on from there, or else it would read the same again, for ever.
func (sd *side[T]) stays(behind string) bool {
	return sd.taken == 0 && (len(sd.items) > 0 || behind == "")
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
	if sd.from.kind == atStart { // nothing was taken; on the way on it begins at its start
		sd.before, sd.after = sd.from, entry{}
		return nil
	}
	if n := sd.taken; n > 0 && n < len(sd.items) {
		p, err := sd.read(ctx, sd.from.text, n)
		if err != nil {
			return err
		}
		sd.items, sd.previous0 = p.Items, p.Previous
	}
	if sd.before = backTo(sd.previous0); sd.stays(sd.previous0) {
		sd.items, sd.before = nil, sd.from
	}
	if sd.after = (entry{atCursor, sd.next0}); sd.next0 == "" {
		sd.after = entry{afterAll, sd.from.text}
	}
	return nil
}

// cutTail is cut on the way back from the end, for which there is no cursor.
func (sd *side[T]) cutTail(ctx context.Context) error {
	// The page ends where the listing did, or where more has come since.
	if sd.after = sd.from; sd.next0 != "" {
		sd.after = entry{atCursor, sd.next0}
	}
	n, all := sd.taken, len(sd.items)
	switch {
	case sd.stays(sd.previous0):
		sd.items, sd.before = nil, sd.from
	case n == all:
		sd.before = backTo(sd.previous0)
	case n == sd.tail.items: // its first item is where the tail begins, which has a cursor
		sd.items, sd.before = sd.items[all-n:], backTo(sd.tail.beforeText)
	case n > sd.tail.items: // so many of what is before the tail, and all of that
		p, err := sd.read(ctx, sd.tail.beforeText, n-sd.tail.items)
		if err != nil {
			return err
		}
		sd.items = append(p.Items, sd.items[all-sd.tail.items:]...)
		sd.before = backTo(p.Previous)
	default:
		// The boundary is within the tail: on to it, and then back from what follows.
		p, err := sd.read(ctx, sd.from.text, sd.tail.items-n)
		if err == nil && p.Next != "" {
			p, err = sd.read(ctx, p.Next, n)
		}
		if err != nil {
			return err
		}
		sd.items, sd.before = p.Items, backTo(p.Previous)
	}
	return nil
}
