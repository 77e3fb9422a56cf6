package pgstore

import (
	"context"
	"errors"
	"fmt"
)

// ErrUnsafe says that the server would lose what it has said it keeps. Migrate returns it and,
// until the server has been found safe, every method.
var ErrUnsafe = errors.New("pgstore: the server is not set to keep what it accepts")

// checkDurable refuses a server that does not sync its log before it answers.
func (s *Store) checkDurable(ctx context.Context, q querier) error {
	if s.o.Unsafe {
		return nil
	}
	var fsync, commit string
	err := q.QueryRow(ctx, "SELECT current_setting('fsync'), current_setting('synchronous_commit')").Scan(&fsync, &commit)
	switch {
	case err != nil:
		return err
	case fsync == "off":
		return fmt.Errorf("%w: fsync is off, so a crash of its machine loses events; turn it on, or set Options.Unsafe if you accept that", ErrUnsafe)
	case commit == "off":
		return fmt.Errorf("%w: synchronous_commit is off for this user or connection, so a crash of the server loses events; "+
			"turn it on, or set Options.Unsafe if you accept that", ErrUnsafe)
	}
	return nil
}
