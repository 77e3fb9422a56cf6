package txn

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// cancelAll gives the deliveries that a mark has canceled a row that says so, wherever they are
// found. A stage that has been passed is not looked at again: what has become pending since has a
// later number than the marks.
func (w *Purge) cancelAll(t *Tx) (done bool, err error) {
	// What is implicit is in no bucket, so the stages would miss it. It gets a row here, and memory
	// does not list it any more at the next step.
	for i, seq := range w.Implicit {
		if i == PruneStep {
			return false, nil
		}
		if err := w.cancel(t, seq); err != nil {
			return false, err
		}
	}
	worked := false
	for ; w.Stage < len(purgeStages); w.Stage, w.LastKey = w.Stage+1, nil {
		id := purgeStages[w.Stage]
		for more := true; more; worked = true {
			// A step does one batch at least, however slow it is: or none would ever do more.
			if w.left <= 0 || w.seen <= 0 || worked && t.Settings.Now() > w.until {
				return false, nil
			}
			if id == buckets.Chunks {
				more, err = w.cancelChunk(t)
			} else {
				more, err = w.cancelKeys(t, id)
			}
			if err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// cancelKeys cancels what the next keys of the index, or of what has an ordering key, name. It is
// false if there are no more.
func (w *Purge) cancelKeys(t *Tx, id buckets.Bucket) (more bool, err error) {
	keys, more := w.keys(t, id, w.LastKey, min(w.left, purgeBatch))
	for _, k := range keys {
		// Deliveries that came after the marks keep their keys, so a step can see many and change
		// none.
		w.seen--
		w.LastKey = k
		if err := w.cancel(t, record.KeyNumber(k, 2)); err != nil {
			return false, err
		}
	}
	return more, nil
}

// cancelChunk cancels what the first chunk has, and shortens it by that. It is false if nothing
// is left to do.
func (w *Purge) cancelChunk(t *Tx) (more bool, err error) {
	key, seqs, err := t.Pending.Chunks.First(w.Num)
	switch {
	case key == nil:
		return false, nil
	case err != nil: // all of it is canceled, and its events are not known
		w.ageUnknown(t)
		return true, t.Pending.Chunks.Remove(key)
	}
	// The mark's number is from the sequence of the events: all events below it came before.
	n, _ := slices.BinarySearch(seqs, w.UpTo)
	if n == 0 {
		return false, nil // what follows came after the marks
	}
	for _, seq := range seqs[:n] {
		if err := w.cancel(t, seq); err != nil {
			return false, err
		}
	}
	// The rows say it now, so the chunk must not list them any more: the next step would find them
	// first again.
	return true, t.Pending.Chunks.Rewrite(key, seqs[n:])
}

// cancel cancels a delivery, if a mark says so. It has a row, or is known to be pending without
// one. One that can't be read is left for Claim to find. It does nothing to a delivery that became
// pending after the marks.
func (w *Purge) cancel(t *Tx, seq uint64) error {
	id := pending.ID{Num: w.Num, Seq: seq}
	was, ok, err := t.Pending.Row(id)
	if err != nil {
		return nil
	}
	if !ok {
		was = pending.Implicit(seq, t.Events.KeyHash(seq))
	}
	if err := t.Pending.ApplyMarks(w.Num, seq, &was); err != nil || !was.Marked {
		return err
	}
	w.left--
	r := was
	r.Blocked, r.Waits, r.Due, r.AtOnce = false, false, 0, 0
	return t.Pending.Transition(id, was, r, true)
}
