package boltstore

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/claims"
	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/erase"
	"github.com/outhook/outhook/store/boltstore/internal/listing"
	"github.com/outhook/outhook/store/boltstore/internal/tenants"
	"github.com/outhook/outhook/store/internal/asking"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a bbolt file. Make one with [Open] or [New]. It is safe for
// concurrent use.
type Store struct {
	db        *database.DB  // the file, and memory, which follows it
	closeWait time.Duration // how long Close waits for the host's transaction

	claims     *claims.Claimer
	lists      *listing.Lister
	erasures   *erase.Eraser
	mover      *tenants.Mover
	statistics statistics
	pruner     pruner
	filters    asking.Asker // of who may get events
}

// newStore makes a store in an open file. The caller closes file after an error.
func newStore(file *boltfile.File, exclusive bool, o Options) (*Store, error) {
	db, err := database.New(file, database.Options{
		Name: o.Name, Exclusive: exclusive, Wall: o.wall, EraseStep: o.eraseStep,
		Budget: o.budget, SpillStep: o.spillStep,
	})
	if err != nil {
		return nil, err
	}
	s := &Store{
		db: db, closeWait: o.closeWait,
		claims: claims.New(db), lists: listing.New(db), statistics: statistics{db: db},
	}
	s.erasures = erase.New(db, s.lists)
	s.pruner = pruner{db: db, erasures: s.erasures}
	s.mover = tenants.New(db, s.lists, s.erasures)
	return s, nil
}

// CloseWait is how long Close waits for a transaction of the host.
const CloseWait = 5 * time.Second

// Close commits what waits and ends the use of the store: after it, every method returns
// [store.ErrClosed]. It writes the last counts, so a host closes a database of its own only
// afterwards. A database that Open has opened is closed too. Calling it again does nothing.
//
// Close returns when the commit under way and those of what waits are on disk; only the disk bounds
// that, and a transaction of the host that reads while the file must grow, see [New]. In a host's
// own database, a transaction of the host can be in the way. If it is still open after [CloseWait],
// the calls that wait fail with ErrClosed, and what they were to write is never written; then Close
// returns an error, and the store is closed nevertheless. So don't call Close while the same
// goroutine has such a transaction open.
func (s *Store) Close() error {
	if err := s.db.Close(s.closeWait); err != nil {
		return fmt.Errorf("boltstore: close: %w", err)
	}
	return nil
}
