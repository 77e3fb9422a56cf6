package txn

import (
	"bytes"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// PurgeState is how far the purge of a subscription has come: doing to its records what its marks
// say, or removing them when it is deleted.
type PurgeState struct {
	Num     uint64
	ID      int    // tells it from another purge of the same subscription
	stage   int    // the position in sweepStages
	lastKey []byte // the last key that was looked at in this stage
	UpTo    uint64 // the last mark when the first stage began
}

// purgeStages are the buckets where canceled deliveries are found, in turn. What is implicit comes
// before them.
var purgeStages = [...]Bucket{BucketChunks, BucketDue, BucketKeyed}

// purgeBatch is how many deliveries are canceled between two looks at the clock.
const purgeBatch = 128

// Purge is one step of a purge.
type Purge struct {
	PurgeState
	Implicit []uint64 // deliveries that only memory knows and that are to be canceled
	left     int      // how many records may still be changed
	seen     int      // how many more may be looked at
	until    int64    // when it is to end
}

func (w *Purge) Step(t *Tx) error {
	w.left, w.seen, w.until = PruneStep, 4*PruneStep, t.settings.Now()+2*sliceTime
	b, err := t.Pending.Backlogs.Get(w.Num)
	if err != nil {
		return err
	}
	var done bool
	if b.Deleted {
		done, err = w.removeAll(t)
	} else {
		done, err = w.cancelAll(t)
	}
	switch {
	case err != nil:
		return err
	case !done:
		t.effects.add(PurgeProgressed{w.PurgeState})
		return nil
	case b.Deleted:
		t.Pending.Backlogs.Set(w.Num, &record.Backlog{})
		t.effects.add(OrphansPossible{})
		err = t.PutMetaNumber(MetaOrphans, 1)
	case len(b.Marks) > 0:
		_, err = t.Pending.Backlogs.DropMarks(w.Num, w.UpTo) // b changes with it
	}
	if len(b.Marks) == 0 || b.Deleted {
		t.effects.add(PurgeEnded{w.Num})
	}
	return err
}

// removeAll removes the records of a deleted subscription.
func (w *Purge) removeAll(t *Tx) (done bool, err error) {
	for _, id := range []Bucket{BucketRows, BucketBodies, BucketDue, BucketKeyed, BucketChunks} {
		keys, more := w.keys(t, id, nil, w.left)
		w.left -= len(keys)
		for _, k := range keys {
			t.orphan(id, k)
			if err := t.remove(id, k); err != nil { // nobody looks up in its chunks any more
				return false, err
			}
		}
		if more {
			return false, nil
		}
	}
	return true, t.Counts.removeRecent(w.Num)
}

// orphan notes the events of a record of a deleted subscription: they may have no recipient left.
func (t *Tx) orphan(id Bucket, key []byte) {
	switch id {
	case BucketRows:
		t.effects.add(EventsOrphaned{[]uint64{record.KeyNumber(key, 1)}})
	case BucketChunks:
		seqs, err := record.DecodeChunk(key, t.Get(BucketChunks, key))
		if err != nil {
			t.ageUnknown()
		}
		t.effects.add(EventsOrphaned{seqs})
	}
}

// ageUnknown notes that deliveries are gone of which nobody can say what events they were of: Prune
// must look for those that have no recipient left.
func (t *Tx) ageUnknown() {
	t.effects.add(AgesUnknown{t.Bucket(BucketEvents).Sequence()})
}

// keys returns at most n keys of the subscription after a key, and whether there are more.
func (w *Purge) keys(t *Tx, id Bucket, after []byte, n int) (keys [][]byte, more bool) {
	prefix := record.Key1(w.Num)
	start := prefix[:]
	if after != nil {
		start = append(bytes.Clone(after), 0)
	}
	c := t.Bucket(id).Cursor()
	for k, _ := c.Seek(start); record.InSubscription(k, w.Num); k, _ = c.Next() {
		if len(keys) == n {
			return keys, true
		}
		keys = append(keys, bytes.Clone(k))
	}
	return keys, false
}

// cancelAll gives the deliveries that a mark has canceled a row that says so, wherever they are
// found.
func (w *Purge) cancelAll(t *Tx) (done bool, err error) {
	for i, seq := range w.Implicit {
		if i == PruneStep {
			return false, nil
		}
		if err := w.cancel(t, seq); err != nil {
			return false, err
		}
	}
	for ; w.stage < len(purgeStages); w.stage, w.lastKey = w.stage+1, nil {
		id := purgeStages[w.stage]
		for more := true; more; {
			if w.left <= 0 || w.seen <= 0 || t.settings.Now() > w.until {
				return false, nil
			}
			if id == BucketChunks {
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
// false when there are no more.
func (w *Purge) cancelKeys(t *Tx, id Bucket) (more bool, err error) {
	keys, more := w.keys(t, id, w.lastKey, min(w.left, purgeBatch))
	for _, k := range keys {
		w.seen--
		w.lastKey = k
		if err := w.cancel(t, record.KeyNumber(k, 2)); err != nil {
			return false, err
		}
	}
	return more, nil
}

// cancelChunk cancels what the first chunk has, and shortens it by that. It is false when nothing
// is left to do.
func (w *Purge) cancelChunk(t *Tx) (more bool, err error) {
	key, seqs, err := t.Pending.Chunks.First(w.Num)
	switch {
	case key == nil:
		return false, nil
	case err != nil: // all of it is canceled, and nobody knows what it was
		t.ageUnknown()
		return true, t.Pending.Chunks.Remove(key)
	}
	n, _ := slices.BinarySearch(seqs, w.UpTo)
	if n == 0 {
		return false, nil // what follows came after the marks
	}
	for _, seq := range seqs[:n] {
		if err := w.cancel(t, seq); err != nil {
			return false, err
		}
	}
	return true, t.Pending.Chunks.Rewrite(key, seqs[n:])
}

// cancel cancels a delivery, if a mark says so. It has a row, or is known to be pending without
// one. One that can't be read is left for Claim to find.
func (w *Purge) cancel(t *Tx, seq uint64) error {
	id := pending.ID{Num: w.Num, Seq: seq}
	was, ok, err := t.Pending.Row(id)
	if err != nil {
		return nil
	}
	if !ok {
		was = pending.Implicit(seq, t.Events.keyHash(seq))
	}
	if err := t.Pending.ApplyMarks(w.Num, seq, &was); err != nil || !was.Marked {
		return err
	}
	w.left--
	r := was
	r.Blocked, r.Due, r.AtOnce = false, 0, 0
	return t.Pending.Transition(id, was, r, true)
}

// keyHash returns the hash of an event's ordering key. One that can't be read has none.
func (x *eventLog) keyHash(seq uint64) uint64 {
	key := record.Key1(seq)
	e, err := record.DecodeEvent(key[:], x.base.Get(BucketEvents, key[:]))
	if err != nil {
		return 0
	}
	return e.KeyHash()
}
