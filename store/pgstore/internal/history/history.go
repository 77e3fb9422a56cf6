package history

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/counts"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// History reads and changes what is stored of deliveries. Make one with [New]. It is safe for
// concurrent use. Two calls at once meet in the database only; what it keeps is how far Prune has
// come, which only saves reading.
type History struct {
	*replica.Replica
	counts *counts.Counts
	turns  chan struct{} // has one for each page that is being read

	mu     sync.Mutex // guards all below
	pruned pruned
}

// readers is how many pages are read at once.
const readers = 2

// New returns the history as a replica sees it. The counts are this replica's, which Stats reads
// before the rows of others.
func New(r *replica.Replica, counts *counts.Counts) *History {
	return &History{Replica: r, counts: counts, turns: make(chan struct{}, readers)}
}

// Attempts returns what is kept of a delivery's attempts. It returns store.ErrNotFound if there is
// no such delivery. A delivery without a row exists and has none, as long as it is pending: then
// the list is empty.
func (h *History) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
	// How many there were is more than what is kept, once old ones have been dropped; it gives the
	// numbers.
	var were int
	var log, answers []byte
	err := h.DB.Row(ctx, h.SQL.Attempts, subscriptionID, eventID)(&were, &log, &answers)
	switch {
	case isUnknown(err):
		return nil, store.ErrNotFound
	case err != nil:
		return nil, err
	}
	return record.ParseLog(were, log, answers)
}

// isUnknown reports whether an error says that nothing has the ID: there is no row, or there can be
// none with such an ID.
func isUnknown(err error) bool {
	return errors.Is(err, pgx.ErrNoRows) || sqltx.State(err) == sqltx.InvalidText
}
