package record

import (
	"strings"
	"time"

	"github.com/outhook/outhook/events"
)

// EventColumns are what few events have, as arguments of a statement that stores several: one
// element an event, or none at all if none of them has any. The server then takes NULL for each.
type EventColumns struct {
	tags                 []*string // with commas between them: no tag has one
	notBefore, expiresAt []*time.Time
	n                    int // how many events there were
}

// Add adds an event. Only its Tags, NotBefore and ExpiresAt are looked at.
func (c *EventColumns) Add(e *events.Event) {
	c.n++
	if tags := events.SortedTags(e.Tags); len(tags) > 0 {
		joined := strings.Join(tags, ",")
		set(&c.tags, c.n, &joined)
	}
	if !e.NotBefore.IsZero() {
		at := events.Millisecond(e.NotBefore)
		set(&c.notBefore, c.n, &at)
	}
	if !e.ExpiresAt.IsZero() {
		at := events.Millisecond(e.ExpiresAt)
		set(&c.expiresAt, c.n, &at)
	}
}

// set makes v the n-th element of a column, counted from 1. Those before it that are missing are
// NULL, and so are those that never come: unnest makes columns as long as the longest.
func set[T any](column *[]*T, n int, v *T) {
	for len(*column) < n {
		*column = append(*column, nil)
	}
	(*column)[n-1] = v
}

// Args returns the three columns.
func (c *EventColumns) Args() []any { return []any{c.tags, c.notBefore, c.expiresAt} }

// Window is the times of an event as they are scanned.
type Window struct{ NotBefore, ExpiresAt *time.Time }

// Of sets the times of an event.
func (w *Window) Of(notBefore, expiresAt *time.Time) {
	*notBefore, *expiresAt = Time(w.NotBefore), Time(w.ExpiresAt)
}
