package pgstore

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/importer"
)

// Imported says what an Import has moved.
type Imported struct {
	Subscriptions int // all that the old store has
	Deliveries    int // pending deliveries that this store did not have yet
	Finished      int // finished deliveries that this store did not have yet
}

// Import moves what another store, such as a boltstore, still has to do into this one: its
// subscriptions with their health, and its pending deliveries with their attempts, in their order,
// each due when it was. Then it copies the history: finished deliveries with their events and
// attempts, so that what was delivered can be replayed here. Counts (store.AttemptStats) begin
// anew.
//
// Nothing is lost and nothing is done twice: a delivery is stored here, on disk, before it is ended
// there (as dead, with "moved to PostgreSQL"), and one that is here already is not stored again. So
// after an error, or a crash, Import can be called again and goes on where it was, though what
// waited for a retry may then be due at once, and what was moved first comes first. Nobody else may
// use the old store meanwhile, and afterwards nobody should: neither publish to it nor run a
// dispatcher on it. This store may be in use already, by other replicas too.
//
// It returns store.ErrMoved if a tenant of the old store is being moved to another store of package
// shards, or was: settle that first. The other tenants' subscriptions may be here by then.
//
// It calls progress, unless that is nil, with what it has moved so far, after each step of some
// hundred. It returns that beside an error too.
//
// It keeps the ID and the due time of each pending delivery in memory while it works, about 200
// bytes, and 8 for each finished one.
func (s *Store) Import(
	ctx context.Context, from store.Store, progress func(Imported),
) (Imported, error) {
	var moved importer.Moved
	err := s.run(ctx, "import", func() (err error) {
		moved, err = importer.Import(ctx, s.replica, from, func(m importer.Moved) {
			if progress != nil {
				progress(Imported(m))
			}
		})
		return err
	})
	return Imported(moved), err
}
