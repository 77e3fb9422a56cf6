package boltstore

import (
	"bytes"
	"fmt"

	"github.com/outhook/outhook/store"
)

// The override of a delivery's body is beside its row, so that a change of the row does not write it
// again. The row says that it is there.

// putOverride stores the override of a delivery's body.
func (t *txn) putOverride(num, seq uint64, body []byte) error {
	key := key2(num, seq)
	e := newEncoder(len(body))
	e.b = append(e.b, body...)
	return t.put(bodies, key[:], e.seal(key[:]))
}

// override returns a copy of the override of a delivery's body, which it must have.
func (t *txn) override(num, seq uint64) ([]byte, error) {
	key := key2(num, seq)
	v := t.get(bodies, key[:])
	if v == nil {
		return nil, fmt.Errorf("%w: delivery %d/%d lacks its body", store.ErrCorrupt, num, seq)
	}
	d, err := unseal(key[:], v)
	if err != nil {
		return nil, fmt.Errorf("body of delivery %d/%d: %w", num, seq, err)
	}
	return bytes.Clone(d.b), nil
}

// removeOverride removes the override of a delivery's body, if it has one.
func (t *txn) removeOverride(num, seq uint64) error {
	key := key2(num, seq)
	return t.remove(bodies, key[:])
}
