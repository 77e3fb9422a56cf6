package boltstore

import (
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// begin wraps a bbolt transaction.
func (s *Store) begin(tx *bolt.Tx) (*txn.Tx, error) { return txn.Begin(&s.settings, &s.writer, tx) }
