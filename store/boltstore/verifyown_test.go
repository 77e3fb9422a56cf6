package boltstore

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/rollup"
)

// erasure checks that an erased event has left nothing in a delivery.
func (v *verifier) erasure(num, seq uint64, r *pending.Delivery) {
	if r.Pending() || r.Overridden() {
		v.errorf("delivery %d/%d of an erased event is %s, and has a body of its own: %v", num, seq,
			r.State, r.Overridden())
	}
	err := r.EachAttempt(func(a record.Attempt) {
		if len(a.Response) > 0 {
			v.errorf("delivery %d/%d of an erased event has the response %q", num, seq, a.Response)
		}
	})
	if err != nil {
		v.errorf("attempts of delivery %d/%d: %v", num, seq, err)
	}
}

// bodies checks that rows that have a body of their own, and they alone, do.
func (v *verifier) bodies(t *txn.Tx) {
	c := t.Bucket(buckets.Bodies).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		num, seq := record.KeyNumber(k, 0), record.KeyNumber(k, 1)
		key := record.Key2(num, seq)
		r, err := record.DecodeRow(key[:], t.Get(buckets.Rows, key[:]))
		if t.Subs.Exists(num) && (err != nil || !r.Overridden()) {
			v.errorf("delivery %d/%d has a body of its own, and its row is %+v, %v", num, seq, r,
				err)
		}
		if _, err := t.Pending.Overrides.Get(num, seq); err != nil {
			v.errorf("%v", err)
		}
	}
}

// counts checks what attempts came to: all of it is of a subscription that is there, or swept yet,
// or past.
func (v *verifier) counts(t *txn.Tx) {
	first := rollup.First(record.AsTime(t.Now), rollup.Kept)
	c := t.Bucket(buckets.Counts).Cursor()
	for k, val := c.First(); k != nil; k, val = c.Next() {
		slot, num := int64(record.KeyNumber(k, 0)), record.KeyNumber(k, 1)
		s, err := record.DecodeCounts(k, val)
		if err != nil || s.Stats() == (store.AttemptStats{}) {
			v.errorf("counts of subscription %d in slot %d: %+v, %v", num, slot, s.Stats(), err)
		}
		b, err := t.Pending.Backlogs.Get(num)
		if num != rollup.All && !t.Subs.Exists(num) && slot >= first && (err != nil || !b.Deleted) {
			v.errorf("subscription %d is gone, and has counts in slot %d", num, slot)
		}
	}
}
