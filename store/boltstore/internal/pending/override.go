package pending

import (
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// overrides reads and writes the bodies that override the event's for single deliveries.
type overrides struct{ *access }

// Get returns a copy of the body that overrides the event's for a delivery.
func (o *overrides) Get(num, seq uint64) ([]byte, error) {
	key := record.Key2(num, seq)
	v := o.get(Bodies, key[:])
	if v == nil {
		return nil, fmt.Errorf("%w: delivery %d/%d lacks its body", store.ErrCorrupt, num, seq)
	}
	body, err := record.DecodeBytes(key[:], v)
	if err != nil {
		return nil, fmt.Errorf("body of delivery %d/%d: %w", num, seq, err)
	}
	return body, nil
}

// Put stores a body that overrides the event's for a delivery. It has a record of its own,
// so that a change of the row does not write it again; the row says that it is there.
func (o *overrides) Put(num, seq uint64, body []byte) error {
	key := record.Key2(num, seq)
	return o.put(Bodies, key[:], record.EncodeBytes(key[:], body))
}

// Remove removes the body that overrides the event's for a delivery, if there is one.
func (o *overrides) Remove(num, seq uint64) error {
	key := record.Key2(num, seq)
	return o.remove(Bodies, key[:])
}
