package buckets

import (
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// eventLog stores, reads and removes events, with their IDs and times.
type eventLog struct {
	*base
	ids     *eventIDs
	subs    *subscriptions
	pending *pending.Set
}

// Append stores an event behind all others, with its recipients as [record.Pack] packs them, and
// returns its number. It sets EnqueuedAt to the present.
func (x *eventLog) Append(e *record.Event, recipients []byte) (seq uint64, err error) {
	if e.EnqueuedAt, err = x.enqueueTime(); err != nil {
		return 0, err
	}
	return x.append(e, recipients)
}

// Import is Append for an event that was enqueued in another store, at EnqueuedAt.
func (x *eventLog) Import(e *record.Event, recipients []byte) (seq uint64, err error) {
	if err := x.importTime(e.EnqueuedAt); err != nil {
		return 0, err
	}
	return x.append(e, recipients)
}

func (x *eventLog) append(e *record.Event, recipients []byte) (seq uint64, err error) {
	if seq, err = x.NextSeq(); err != nil {
		return 0, err
	}
	key := record.Key1(seq)
	// Sequence numbers ascend, so this appends to the last page of the bucket, however many
	// recipients there are.
	if err := x.put(Events, key[:], e.Encode(key[:], recipients)); err != nil {
		return 0, err
	}
	if e.ExpiresAt != 0 {
		key := expiryKey(e, seq)
		if err := x.putNumber(Expiries, key[:], 0); err != nil {
			return 0, err
		}
	}
	return seq, x.ids.note(e, seq)
}

// Get reads an event. It is nil if there is none. Its body is the file's memory.
func (x *eventLog) Get(seq uint64) (*record.Event, error) {
	key := record.Key1(seq)
	v := x.base.Get(Events, key[:])
	if v == nil {
		return nil, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	return &e, err
}

// Find returns an event of a tenant by its ID; nil if there is none, or nothing but what a purge
// has still to remove. Its body is the file's memory.
func (x *eventLog) Find(tenant, id string) (*record.Event, error) {
	seq, err := x.ids.Find(tenant, id)
	if err != nil || seq == 0 {
		return nil, err
	}
	key := record.Key1(seq)
	v := x.base.Get(Events, key[:])
	if v == nil {
		return nil, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return nil, err
	}
	if needed, err := x.Needed(seq, v, e.KeyHash()); !needed || err != nil {
		return nil, err
	}
	return &e, nil
}

// IsErased reports whether the content of an event was erased.
func (x *eventLog) IsErased(seq uint64) (bool, error) {
	e, err := x.Get(seq)
	return e != nil && e.Erased(), err
}

// KeyHash returns the hash of an event's ordering key. One that can't be read has none:
// a purge asks for it, and must come to an end though an event is damaged.
func (x *eventLog) KeyHash(seq uint64) uint64 {
	key := record.Key1(seq)
	e, err := record.DecodeEvent(key[:], x.base.Get(Events, key[:]))
	if err != nil {
		return 0
	}
	return e.KeyHash()
}

// recipients returns the recipients of an event, and the hash of its key. An event that is gone has
// none. The numbers are a copy: writing may move the file's memory.
func (x *eventLog) recipients(seq uint64) (keyHash uint64, nums []uint64, err error) {
	key := record.Key1(seq)
	v := x.base.Get(Events, key[:])
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
	v := x.base.Get(Events, key[:])
	if v == nil {
		return nil
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return err
	}
	if needed, err := x.Needed(seq, v, e.KeyHash()); needed || err != nil {
		return err
	}
	// Together with the event: its ID is free again when it is gone.
	if err := x.ids.Forget(&e, seq); err != nil {
		return err
	}
	if e.ExpiresAt != 0 {
		key := expiryKey(&e, seq)
		if err := x.base.Remove(Expiries, key[:]); err != nil {
			return err
		}
	}
	return x.base.Remove(Events, key[:])
}

// Needed reports whether an event has a delivery: those that were to be removed may have been
// requeued meanwhile.
func (x *eventLog) Needed(seq uint64, v []byte, keyHash uint64) (needed bool, err error) {
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
