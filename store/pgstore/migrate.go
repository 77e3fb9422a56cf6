package pgstore

import (
	"context"

	"github.com/outhook/outhook/store/pgstore/internal/schema"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Migrate creates the schema, or brings it up to date from any released version, in one
// transaction. Any number of replicas may call it at the same time: one does it and the others
// wait. It is safe to call again.
//
// It returns [ErrUnsafe] if the server has fsync or synchronous_commit off, unless Options.Unsafe,
// and [ErrSchema] if the schema was made by a newer version. It takes at most ten minutes.
func (s *Store) Migrate(ctx context.Context) error {
	bounded, cancel := s.replica.DB.Bound(ctx, sqltx.Bounds{Limit: schema.MigrateTimeout})
	defer cancel()
	err := s.checkDurable(bounded, s.pool)
	if err == nil {
		err = s.replica.Schema.Migrate(bounded, s.pool)
	}
	return storeError("migrate", sqltx.WhyEnded(bounded, err))
}
