package boltstore

import (
	"bytes"
	"fmt"

	"github.com/outhook/outhook/store"
)

// A delivery that was given a body of its own has it beside its row, which says so, lest every change of the row write
// it again.

// putBody stores a delivery's own body.
func (t *txn) putBody(num, seq uint64, body []byte) error {
	key := key2(num, seq)
	e := newEncoder(len(body))
	e.b = append(e.b, body...)
	return t.put(bodies, key[:], e.seal(key[:]))
}

// ownBody returns a copy of a delivery's own body, which it must have.
func (t *txn) ownBody(num, seq uint64) ([]byte, error) {
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

// removeBody removes a delivery's own body, if it has one.
func (t *txn) removeBody(num, seq uint64) error {
	key := key2(num, seq)
	return t.remove(bodies, key[:])
}
