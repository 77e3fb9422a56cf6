package txn

import (
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// eventLog reads and removes the stored events. Enqueue stores them.
type eventLog struct {
	*base
	ids     *eventIDs
	subs    *subscriptions
	pending *pending.Set
}

// Get reads an event. It is nil if there is none. Its body is the file's memory.
func (x *eventLog) Get(seq uint64) (*record.Event, error) {
	key := record.Key1(seq)
	v := x.base.Get(BucketEvents, key[:])
	if v == nil {
		return nil, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	return &e, err
}

// isErased reports whether the content of an event was erased.
func (x *eventLog) isErased(seq uint64) (bool, error) {
	e, err := x.Get(seq)
	return e != nil && e.Erased(), err
}

// keyHash returns the hash of an event's ordering key. One that can't be read has none:
// a purge asks for it, and must come to an end though an event is damaged.
func (x *eventLog) keyHash(seq uint64) uint64 {
	key := record.Key1(seq)
	e, err := record.DecodeEvent(key[:], x.base.Get(BucketEvents, key[:]))
	if err != nil {
		return 0
	}
	return e.KeyHash()
}

// recipients returns the recipients of an event, and the hash of its key. An event that is gone has
// none. The numbers are a copy: writing may move the file's memory.
func (x *eventLog) recipients(seq uint64) (keyHash uint64, nums []uint64, err error) {
	key := record.Key1(seq)
	v := x.base.Get(BucketEvents, key[:])
	if v == nil {
		return 0, nil, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return 0, nil, err
	}
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return 0, nil, err
	}
	nums, err = record.UnpackAll(packed)
	return e.KeyHash(), nums, err
}

// Remove removes an event that nothing refers to any more. The decision was made in an earlier
// transaction, so it is checked here whether it still holds.
func (x *eventLog) Remove(seq uint64) error {
	key := record.Key1(seq)
	v := x.base.Get(BucketEvents, key[:])
	if v == nil {
		return nil
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return err
	}
	if needed, err := x.needed(seq, v, e.KeyHash()); needed || err != nil {
		return err
	}
	// Together with the event: its ID is free again when it is gone.
	if err := x.ids.forget(&e, seq); err != nil {
		return err
	}
	return x.remove(BucketEvents, key[:])
}

// needed reports whether an event has a delivery: those that were to be removed may have been
// requeued meanwhile.
func (x *eventLog) needed(seq uint64, v []byte, keyHash uint64) (needed bool, err error) {
	key := record.Key1(seq)
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return true, err
	}
	var failed error
	err = record.Unpack(packed, func(num uint64) bool {
		if x.subs.Exists(num) {
			// A delivery that can't be read may be pending, so its event stays.
			if _, needed, failed = x.pending.Find(num, seq, keyHash); failed != nil {
				needed = true
			}
		}
		return !needed
	})
	return needed, err
}

// Find returns an event of a tenant by its ID; nil if there is none, or nothing but what a purge
// has still to remove. Its body is the file's memory.
func (x *eventLog) Find(tenant, id string) (*record.Event, error) {
	seq, err := x.ids.Find(tenant, id)
	if err != nil || seq == 0 {
		return nil, err
	}
	key := record.Key1(seq)
	v := x.base.Get(BucketEvents, key[:])
	if v == nil {
		return nil, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return nil, err
	}
	if needed, err := x.needed(seq, v, e.KeyHash()); !needed || err != nil {
		return nil, err
	}
	return &e, nil
}

// PruneStep bounds the records that one Prune changes.
const PruneStep = 1000
