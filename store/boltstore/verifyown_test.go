package boltstore

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// erasure checks that an erased event has left nothing in a delivery.
func (v *verifier) erasure(num, seq uint64, r *row) {
	if r.live() || r.overridden() {
		v.errorf("delivery %d/%d of an erased event is %s, and has a body of its own: %v", num, seq, r.state, r.overridden())
	}
	err := r.eachAttempt(func(a attempt) {
		if len(a.response) > 0 {
			v.errorf("delivery %d/%d of an erased event has the response %q", num, seq, a.response)
		}
	})
	if err != nil {
		v.errorf("attempts of delivery %d/%d: %v", num, seq, err)
	}
}

// bodies checks that rows that have a body of their own, and they alone, do.
func (v *verifier) bodies(t *txn) {
	c := t.bucket(bodies).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		num, seq := number(k, 0), number(k, 1)
		key := key2(num, seq)
		r, err := decodeRow(key[:], t.get(deliveries, key[:]))
		if t.alive(num) && (err != nil || !r.overridden()) {
			v.errorf("delivery %d/%d has a body of its own, and its row is %+v, %v", num, seq, r, err)
		}
		if _, err := t.override(num, seq); err != nil {
			v.errorf("%v", err)
		}
	}
}

// counts checks what attempts came to: all of it is of a subscription that is there, or swept yet, or past.
func (v *verifier) counts(t *txn) {
	first := rollup.First(asTime(t.now), rollup.Day)
	c := t.bucket(counts).Cursor()
	for k, val := c.First(); k != nil; k, val = c.Next() {
		slot, num := int64(number(k, 0)), number(k, 1)
		s, err := decodeBucket(k, val)
		if err != nil || s.Stats() == (store.AttemptStats{}) {
			v.errorf("counts of subscription %d in slot %d: %+v, %v", num, slot, s.Stats(), err)
		}
		b, err := t.backlog(num)
		if !t.alive(num) && slot >= first && (err != nil || !b.deleted) {
			v.errorf("subscription %d is gone, and has counts in slot %d", num, slot)
		}
	}
}
