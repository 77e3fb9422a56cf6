package replay

import (
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Cursor returns the cursor of a step that its caller drives. It has the Until of the first step in
// it: without that, a replay would go on to what was published since, and send what has just been
// delivered.
func Cursor(until time.Time, next string) string {
	return strconv.FormatInt(until.UnixNano(), 36) + "." + next
}

// ReadCursor replaces a cursor of Cursor in a query by what it has. An Until of the
// caller's stays.
func ReadCursor(q *store.DeliveryQuery) error {
	if q.Cursor == "" {
		return nil
	}
	until, next, _ := strings.Cut(q.Cursor, ".")
	n, err := strconv.ParseInt(until, 36, 64)
	if err != nil || next == "" {
		return &events.InvalidError{Field: "cursor",
			Reason: "is not of a replay; pass the Next of an earlier step, or none for the first"}
	}
	q.Cursor = next
	if q.Until.IsZero() {
		q.Until = time.Unix(0, n)
	}
	return nil
}
