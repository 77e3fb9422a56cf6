package boltstore

import (
	"fmt"
	"sync"
	"weak"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// inUse has a storeKey for each store that New has made and that is not closed. Two stores of one
// name would each have their own leases and their own memory of what is pending, so an event would
// be delivered by one and missed or repeated by the other. The host's database has no place for such
// a note, so it is kept here; a file that Open has opened needs none, since bbolt locks it.
var inUse sync.Map

// storeKey names a store in a database. The pointer is weak, so that a host that drops a database
// without closing its stores does not keep it in memory; no later database equals it.
type storeKey struct {
	db   weak.Pointer[bolt.DB]
	name string
}

// use takes a name in a database. It returns ErrLocked if a store has it.
func use(db *bolt.DB, name string) (release func(), err error) {
	key := storeKey{weak.Make(db), name}
	if _, taken := inUse.LoadOrStore(key, nil); taken {
		return nil, fmt.Errorf("%w: a store named %q is open in this database; close it first, "+
			"or give the new one another Options.Name", store.ErrLocked, name)
	}
	return func() { inUse.Delete(key) }, nil
}
