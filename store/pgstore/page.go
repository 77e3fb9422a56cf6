package pgstore

import (
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outhook/outhook/events"
)

type commandTag = pgconn.CommandTag

// place is where an item stands in a listing.
type place [2]int64

// cursor names a boundary in a listing, between what stands before a place and the rest, and on which side of it the page is.
type cursor struct {
	at   place
	back bool // the page ends before the boundary
	set  bool // or else the listing begins at its beginning
}

func (c cursor) String() string {
	side := "n"
	if c.back {
		side = "p"
	}
	return fmt.Sprintf("%s-%d-%d", side, c.at[0], c.at[1])
}

// parseCursor is the opposite of String. An empty one is the beginning.
func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	for _, back := range []bool{false, true} {
		c := cursor{back: back, set: true}
		n, _ := fmt.Sscanf(text[1:], "-%d-%d", &c.at[0], &c.at[1])
		if n == 2 && text == c.String() {
			return c, nil
		}
	}
	return cursor{}, &events.InvalidError{Field: "cursor", Reason: "is none of ours; pass one of an earlier page"}
}

// listing is one page on its way: the items on the cursor's side of the boundary, and whether there are any on the other.
type listing[T any] struct {
	cursor cursor
	limit  int // 0 is none
	place  func(*T) place

	items []T
	more  bool // beyond the page
	other bool // on the other side of the boundary
}

// queries swaps the two queries, for the page and for the other side, when the page lies backwards.
func (l *listing[T]) queries(page, other *string) {
	if l.cursor.back {
		*page, *other = *other, *page
	}
}

// read reads the page, and one item more if there is.
func (l *listing[T]) read(rows pgx.Rows, one pgx.RowToFunc[T]) (err error) {
	l.items, err = pgx.CollectRows(rows, one)
	if l.limit > 0 && len(l.items) > l.limit {
		l.items, l.more = l.items[:l.limit], true
	}
	if l.cursor.back {
		slices.Reverse(l.items)
	}
	return err
}

// readOther reads whether there is anything on the other side.
func (l *listing[T]) readOther(rows pgx.Rows) error {
	l.other = rows.Next()
	rows.Close()
	return rows.Err()
}

// cursors returns those of the pages after and before this one.
func (l *listing[T]) cursors() (next, previous string) {
	after, before := l.cursor.at, l.cursor.at
	hasNext, hasPrevious := l.more, l.other && l.cursor.set
	if l.cursor.back {
		hasNext, hasPrevious = l.other, l.more
	}
	if n := len(l.items); n > 0 && l.cursor.back {
		before = l.place(&l.items[0])
	} else if n > 0 {
		after = l.place(&l.items[n-1])
		after[1]++
	}
	if hasNext {
		next = cursor{at: after}.String()
	}
	if hasPrevious {
		previous = cursor{at: before, back: true}.String()
	}
	return next, previous
}
