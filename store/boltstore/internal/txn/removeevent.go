package txn

import (
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// RemoveEvent removes an event that nothing refers to any more.
func (t *Tx) RemoveEvent(seq uint64) error {
	key := record.Key1(seq)
	v := t.Get(BucketEvents, key[:])
	if v == nil {
		return nil
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return err
	}
	if needed, err := t.needed(seq, v, e.KeyHash()); needed || err != nil {
		return err
	}
	if err := t.IDs.forget(e.ID, seq); err != nil {
		return err
	}
	return t.remove(BucketEvents, key[:])
}

// needed reports whether an event has a delivery: those that were to be removed may have been
// requeued meanwhile.
func (t *Tx) needed(seq uint64, v []byte, keyHash uint64) (needed bool, err error) {
	key := record.Key1(seq)
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return true, err
	}
	var failed error
	err = record.Unpack(packed, func(num uint64) bool {
		if t.Subs.Exists(num) {
			if _, needed, failed = t.Pending.Find(num, seq, keyHash); failed != nil {
				needed = true
			}
		}
		return !needed
	})
	return needed, err
}

// PruneStep bounds the records that one Prune changes.
const PruneStep = 1000
