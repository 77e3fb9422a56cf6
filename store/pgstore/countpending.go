package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// CountPending implements [store.History].
//
// It counts rows: those of the tenant that wait for a retry or behind others, until there are limit
// of them, and the events of all tenants that have come since the last of them were spilled.
func (s *Store) CountPending(ctx context.Context, tenant string, limit int) (n int, err error) {
	if err = s.begin(ctx); err == nil {
		err = s.read(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.CountPending, tenant, max(limit, 0)).
				QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
		})
	}
	if err != nil {
		return 0, fmt.Errorf("pgstore: count pending: %w", err)
	}
	return n, nil
}
