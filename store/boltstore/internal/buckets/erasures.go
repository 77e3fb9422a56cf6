package buckets

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// The bounds of a step.
const (
	DefaultEraseStep = 500 // deliveries that it changes
	eraseTime        = 8 * SliceTime
)

// erasures is the erasures that are not complete, in no order. They are few: there is one for each
// wide event whose Erase is under way, or was cut off since Prune ran last. All are in one record,
// which each transaction reads at most once: every delivery that is read asks for the erasure of
// its event.
type erasures struct {
	*base
	events  *eventLog      // for the recipients of an event
	subs    *subscriptions // for whether a recipient is still there
	pending *pending.Set   // which applies the erasures to what it reads, and so asks for them

	all  []record.Erasure // as this transaction has them
	read bool             // all has been read
}

// List returns all of them. The caller must not change the list. It returns [store.ErrCorrupt] if
// the record is damaged; then no delivery can be read, for it might be erased.
func (e *erasures) List() ([]record.Erasure, error) {
	if e.read {
		return e.all, nil
	}
	key := []byte(metaErasures)
	if v := e.Get(Meta, key); v != nil {
		all, err := record.DecodeErasures(key, v)
		if err != nil {
			return nil, err
		}
		e.all = all
	}
	e.read = true
	return e.all, nil
}

// Erasure returns the erasure of an event; nil if it is not being erased. It points into the list,
// so a change of it is stored with the list; it is valid until an erasure is added or dropped.
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
	// As a rule none is left. Then the record goes too, and each transaction finds out with one
	// look-up that nothing is being erased.
	return e.putOrRemove(Meta, key, len(e.all) == 0, func(key []byte) []byte {
		return record.EncodeErasures(key, e.all)
	})
}
