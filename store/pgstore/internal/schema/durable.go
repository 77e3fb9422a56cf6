package schema

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Querier is a pool or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// UnsafeError says which setting of the server loses what the server has accepted.
type UnsafeError struct{ Reason string }

func (e *UnsafeError) Error() string { return e.Reason }

// CheckDurable returns an [UnsafeError] if the server does not sync its log before it answers.
// synchronous_commit may be set for a user, a database or a connection, so it asks on a connection
// of the store's.
func CheckDurable(ctx context.Context, q Querier) error {
	var fsync, commit string
	row := q.QueryRow(ctx, "SELECT current_setting('fsync'), current_setting('synchronous_commit')")
	switch err := row.Scan(&fsync, &commit); {
	case err != nil:
		return err
	case fsync == "off":
		return &UnsafeError{"fsync is off, so a crash of its machine loses events; " +
			"turn it on, or set Options.Unsafe if you accept that"}
	// This is the default, which publishing goes by. Writes that need less set it themselves
	// (sqltx.Local, sqltx.Async).
	case commit == "off":
		return &UnsafeError{
			"synchronous_commit is off for this user or connection, so a crash of the server " +
				"loses events; turn it on, or set Options.Unsafe if you accept that",
		}
	}
	return nil
}
