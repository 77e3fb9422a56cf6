package txn

import (
	"slices"

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

// eraseRecords brings deliveries of an event in line with its mark, until it has changed n or the
// time is up, and reports whether that were all. Then the mark is gone.
func (t *Tx) eraseRecords(seq uint64, n int, until int64) (done bool, err error) {
	m, err := t.Erasures.Erasure(seq)
	if err != nil || m == nil {
		return true, err
	}
	keyHash, nums, err := t.Events.recipients(seq)
	if err != nil { // nothing can be read of its deliveries either; Prune must not try for ever
		nums = nil
	}
	for seen, num := range nums[min(m.Done, len(nums)):] {
		if n <= 0 || seen%64 == 63 && t.settings.Now() > until {
			return false, nil
		}
		m.Done++
		if !t.Subs.Exists(num) {
			continue
		}
		changed, err := t.eraseDelivery(num, seq, keyHash)
		if err != nil {
			return false, err
		}
		if changed {
			n--
		}
	}
	t.Erasures.drop(seq)
	return true, nil
}

// recipients returns whom an event is for, and the hash of its key. An event that is gone is for
// nobody. The numbers are a copy: writing may move the file's memory.
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

// StepErasure takes one step of an erasure. It is done if that was the last, or if there is none.
func (t *Tx) StepErasure(seq uint64) (done bool, err error) {
	m, err := t.Erasures.Erasure(seq)
	if err != nil || m == nil { // another call has taken the last
		return true, err
	}
	done, err = t.eraseRecords(seq, t.settings.EraseStep, t.settings.Now()+eraseTime)
	if err != nil {
		return false, err
	}
	if done {
		t.effects.add(ErasureEnded{seq})
	}
	return done, t.Erasures.store()
}
