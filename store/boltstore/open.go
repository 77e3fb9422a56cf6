package boltstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/database"

	bolt "go.etcd.io/bbolt"
)

// Open opens the store in the file at path, and makes the file if it is not there: after a crash at
// any moment it is either not there or complete. The folder must exist. Only one store, of one
// process, can have a file open.
//
// It refuses a file that other users have access to, see [Options]. It returns ErrLocked if the
// file is in use, after half a second, and ErrCorrupt if it is empty, torn, damaged or not a store;
// then it is left as it is. Open reads the file's structure once, which takes some tenths of a
// second for a million pending deliveries, but none of the backlog.
func Open(path string, o *Options) (*Store, error) {
	s, err := open(path, o.withDefaults())
	switch {
	case errors.Is(err, store.ErrLocked):
		err = fmt.Errorf("%w: it is in use by another process, or by another Store in this one; "+
			"close that first", err)
	case errors.Is(err, store.ErrCorrupt):
		err = fmt.Errorf("%w; put a backup in its place, or move it away to begin anew", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.TrimSpace("boltstore: open "+path), err)
	}
	return s, nil
}

// open opens the file and the store in it, and closes the file again after an error.
func open(path string, o Options) (*Store, error) {
	if path == "" {
		return nil, errors.New(`the path is empty; give that of a file, such as "outhook.db"`)
	}
	if !o.AllowOthers {
		if err := boltfile.CheckAccess(path); err != nil {
			return nil, fmt.Errorf("%w; or set Options.AllowOthers", err)
		}
	}
	file, err := boltfile.Open(path, func(tx *bolt.Tx) error { return buckets.Initialize(tx, o.Name) })
	if err != nil {
		return nil, database.Error(err)
	}
	// New would make the buckets; but a file without them was made by another program, or has
	// another store's.
	has, err := database.HasStore(file, o.Name)
	if err == nil && !has {
		err = fmt.Errorf("%w: the file has no store %q", store.ErrCorrupt, o.Name)
	}
	if err != nil {
		return nil, errors.Join(err, database.Error(file.Close()))
	}
	s, err := newStore(file, true, o)
	if err != nil {
		return nil, errors.Join(err, database.Error(file.Close()))
	}
	return s, nil
}

// New returns a store in the host's own database, in buckets of its own, so that it can
// publish in the host's transactions: see [Store.Tx]. Close leaves the database open, and makes the
// name free again. New writes, so it waits for a transaction of the host that is open; don't call
// it inside one.
//
// Don't keep a transaction that reads open for long either. When the file outgrows its memory map,
// the next commit waits until all transactions that read have ended, and bbolt lets no other one
// begin meanwhile. Calls still return when their contexts end, except Close, which waits. A larger
// InitialMmapSize in the host's bbolt.Options makes that rare.
//
// The database is fastest with NoFreelistSync and FreelistMapType. New does not check the file as
// Open does: bbolt may crash the host on a damaged file. It returns
// ErrCorrupt if the buckets are damaged or not a store's, and ErrLocked if the database has a store
// of the same name that is not closed.
func New(db *bolt.DB, o *Options) (*Store, error) {
	if db == nil {
		return nil, errors.New("boltstore: New needs a *bbolt.DB, such as bbolt.Open returns")
	}
	s, err := share(db, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("boltstore: new: %w", err)
	}
	return s, nil
}

// share makes a store in the host's database. After an error the name is free again.
func share(db *bolt.DB, o Options) (*Store, error) {
	// Two stores of one name would each have their own leases and their own memory of what is
	// pending, so an event would be delivered by one and missed or repeated by the other.
	file, err := boltfile.Share(db, o.Name)
	if errors.Is(err, boltfile.ErrLocked) {
		return nil, fmt.Errorf("%w: a store named %q is open in this database; close it first, "+
			"or give the new one another Options.Name", store.ErrLocked, o.Name)
	}
	if err != nil {
		return nil, err
	}
	s, err := newStore(file, false, o)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}
