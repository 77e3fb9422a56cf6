package boltfile

import (
	"sync"
	"weak"

	bolt "go.etcd.io/bbolt"
)

// shared has a shareKey for each File of Share that is not closed. Two users of one name would each
// have a memory of their own of what is in the same buckets. A host's database has no place for
// such a note, so it is kept here; a file that Open has opened needs none, since bbolt locks it.
var shared sync.Map

// shareKey names a part of a database. The pointer is weak, so that a host that drops a database
// without closing its Files does not keep it in memory; no later database equals it.
type shareKey struct {
	db   weak.Pointer[bolt.DB]
	name string
}

// Share returns a File in a database that the host has opened, and takes the name in it until
// Close. It returns ErrLocked if another File has the name. Nothing is verified: what bbolt does
// with a damaged file is the host's to guard against.
func Share(db *bolt.DB, name string) (*File, error) {
	key := shareKey{weak.Make(db), name}
	if _, taken := shared.LoadOrStore(key, nil); taken {
		return nil, ErrLocked
	}
	f := newFile(db)
	f.onClose = func() error {
		shared.Delete(key)
		return nil
	}
	return f, nil
}
