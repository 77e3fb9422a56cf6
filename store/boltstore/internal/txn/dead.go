package txn

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
)

// Damage is what a delivery says that died because its record can't be read.
const Damage = "the stored record is damaged"

// MarkDead makes a delivery dead that may be damaged in any of its parts. due is where memory has
// it in the order of what is due; a damaged row can't tell.
//
// Without this Claim would find the same delivery again and again, and those behind it in its
// ordering key would wait for ever.
func (t *Tx) MarkDead(num, seq uint64, due int64) error {
	if !t.Subs.Exists(num) {
		return nil
	}
	id := pending.ID{Num: num, Seq: seq}
	keyHash := t.Pending.KeyHash(id)
	was, ok, err := t.Pending.Find(num, seq, keyHash)
	// The row itself; it may be in the index in two places, and have a body of its own.
	if err != nil {
		was, ok = pending.Implicit(seq, keyHash), true
		was.Stored = true
		if err := t.Pending.Discard(id, due); err != nil {
			return err
		}
	}
	if !ok || !was.Pending() {
		return nil
	}
	r := was
	r.State, r.FinishedAt, r.Reason = store.Dead, t.Now, Damage
	return t.Pending.Transition(id, was, r, true)
}
