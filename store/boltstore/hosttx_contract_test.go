package boltstore_test

import (
	"context"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/storetest"
)

// hostTx is a transaction of a host's on the database of a store.
type hostTx struct {
	store.Tx
	tx *bolt.Tx
}

func (h hostTx) Commit(context.Context) error { return h.tx.Commit() }

func (h hostTx) Rollback(context.Context) error { return h.tx.Rollback() }

// begin begins a transaction of a host's.
func begin(t *testing.T, s store.Store) storetest.HostTx {
	if v, ok := s.(verified); ok {
		s = v.Store
	}
	bs := s.(*boltstore.Store)
	tx, err := bs.DB().Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() }) // or else closing the store would wait for it
	return hostTx{bs.Tx(tx), tx}
}
