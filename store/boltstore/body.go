package boltstore

import (
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// A delivery that was given a body of its own has it beside its row, which says so, lest every change of the row write
// it again.

// putBody stores a delivery's own body.
func (t *txn) putBody(num, seq uint64, body []byte) error {
	key := record.Key2(num, seq)
	return t.put(bodies, key[:], record.EncodeBody(key[:], body))
}

// ownBody returns a copy of a delivery's own body, which it must have.
func (t *txn) ownBody(num, seq uint64) ([]byte, error) {
	key := record.Key2(num, seq)
	v := t.get(bodies, key[:])
	if v == nil {
		return nil, fmt.Errorf("%w: delivery %d/%d lacks its body", store.ErrCorrupt, num, seq)
	}
	body, err := record.DecodeBody(key[:], v)
	if err != nil {
		return nil, fmt.Errorf("body of delivery %d/%d: %w", num, seq, err)
	}
	return body, nil
}

// removeBody removes a delivery's own body, if it has one.
func (t *txn) removeBody(num, seq uint64) error {
	key := record.Key2(num, seq)
	return t.remove(bodies, key[:])
}
