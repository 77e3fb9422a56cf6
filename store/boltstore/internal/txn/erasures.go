package txn

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// The bounds of a step.
const (
	DefaultEraseStep = 500 // deliveries that it changes
	eraseTime        = 2 * sliceTime
)

// erasures is the erasures that are not complete, in no order. They are few: there is one for each
// wide event whose Erase is under way, or was cut off since Prune ran last.
type erasures struct {
	*base
	events  *eventLog
	subs    *subscriptions
	pending *pending.Set

	all  []record.Erasure
	read bool
}

// List returns all of them.
func (e *erasures) List() ([]record.Erasure, error) {
	if e.read {
		return e.all, nil
	}
	key := []byte(metaErasures)
	if v := e.Get(BucketMeta, key); v != nil {
		all, err := record.DecodeErasures(key, v)
		if err != nil {
			return nil, err
		}
		e.all = all
	}
	e.read = true
	return e.all, nil
}

// Erasure returns the erasure of an event; nil if it is not being erased.
func (e *erasures) Erasure(seq uint64) (*record.Erasure, error) {
	all, err := e.List()
	for i := range all {
		if all[i].Seq == seq {
			return &all[i], err
		}
	}
	return nil, err
}

// drop removes the erasure of an event, for this transaction.
func (e *erasures) drop(seq uint64) {
	e.all = slices.DeleteFunc(e.all, func(m record.Erasure) bool { return m.Seq == seq })
}

// store puts the erasures of this transaction into the file.
func (e *erasures) store() error {
	key := []byte(metaErasures)
	return e.putOrRemove(BucketMeta, key, len(e.all) == 0, func(key []byte) []byte {
		return record.EncodeErasures(key, e.all)
	})
}
