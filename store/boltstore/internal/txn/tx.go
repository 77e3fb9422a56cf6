package txn

import (
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"

	bolt "go.etcd.io/bbolt"
)

// Tx is a transaction of the file: the records as it sees and changes them, with the operations
// that are about several kinds of them.
type Tx struct{ buckets.Records }

// Begin makes a Tx of a bbolt transaction. w is for one that writes. It reads two numbers of the
// file. The caller ends tx, also after an error.
func Begin(s *buckets.Settings, w *buckets.Writer, tx *bolt.Tx) (*Tx, error) {
	t := new(Tx)
	if err := t.Init(s, w, tx); err != nil {
		return nil, err
	}
	return t, nil
}

// Effects returns what memory must learn when the transaction has committed, in this order.
func (t *Tx) Effects() []effect.Effect { return t.Log.All() }
