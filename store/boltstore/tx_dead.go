package boltstore

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
)

// damage is what a delivery says that died because its record can't be read.
const damage = "the stored record is damaged"

// bury makes a delivery dead that may be damaged in any of its parts.
func (t *txn) bury(num, seq uint64, due int64) error {
	if !t.subs.exists(num) {
		return nil
	}
	id := pending.ID{Num: num, Seq: seq}
	keyHash := t.pending.KeyHash(id)
	was, ok, err := t.pending.Find(num, seq, keyHash)
	if err != nil { // the row itself; it may be in the index in two places, and have a body of its own
		was, ok = pending.Implicit(seq, keyHash), true
		was.Stored = true
		if err := t.pending.Discard(id, due); err != nil {
			return err
		}
	}
	if !ok || !was.Pending() {
		return nil
	}
	r := was
	r.State, r.FinishedAt, r.Reason = store.Dead, t.now, damage
	return t.pending.Transition(id, was, r, true)
}
