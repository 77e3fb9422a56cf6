package history

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/counts"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// History reads and changes what is stored of deliveries. Make one with [New]. It is safe for
// concurrent use.
type History struct {
	*replica.Replica
	counts *counts.Counts
}

// New returns the history as a replica sees it.
func New(r *replica.Replica, counts *counts.Counts) *History {
	return &History{Replica: r, counts: counts}
}

// Attempts returns what is kept of a delivery's attempts. It returns store.ErrNotFound if there is
// no such delivery.
func (h *History) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
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
