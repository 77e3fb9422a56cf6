package txn

import (
	"bytes"

	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// PruneStep bounds the records that one Prune changes.
const PruneStep = 1000

// purgeStages are the buckets where canceled deliveries are found, in turn. What is implicit comes
// before them.
var purgeStages = [...]buckets.Bucket{buckets.Chunks, buckets.Due, buckets.Keyed}

// purgeBatch is how many deliveries are canceled between two looks at the clock. Many may need no
// change, and passing over one costs little, so the clock is not read for each.
const purgeBatch = 128

// Purge is one step of a purge. It cancels in the records what marks have canceled, or removes the
// records of a deleted subscription. What it has done so far is in PurgeState, which memory keeps
// between steps; a purge that a crash cuts off begins anew, and finds less to do.
type Purge struct {
	effect.PurgeState
	Implicit []uint64 // deliveries that only memory knows and that are to be canceled
	left     int      // how many records may still be changed
	seen     int      // how many more may be looked at
	until    int64    // when it is to end
}

// Step does as much of the purge as one transaction may, and says in an effect how far it has come.
func (w *Purge) Step(t *Tx) error {
	// Three bounds, as each can be what takes long: writing, passing over what needs no change, and
	// a slow disk.
	w.left, w.seen, w.until = PruneStep, 4*PruneStep, t.Settings.Now()+8*buckets.SliceTime
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
		t.Log.Add(effect.PurgeProgressed{State: w.PurgeState})
		return nil
	case b.Deleted:
		// An empty backlog has no record. It goes last: until then an opening finds the
		// subscription to be purged.
		t.Pending.Backlogs.Set(w.Num, &record.Backlog{})
		t.Log.Add(effect.OrphansPossible{})
		// In the file too, because the effect is lost with the process, and events without
		// recipients would stay for ever.
		err = t.PutMetaNumber(buckets.MetaOrphans, 1)
	case len(b.Marks) > 0:
		// Only the marks that the purge began with: a later one has canceled more, and gets a purge
		// of its own.
		_, err = t.Pending.Backlogs.DropMarks(w.Num, w.UpTo) // b changes with it
	}
	// With marks left, memory has begun another purge when they were written.
	if len(b.Marks) == 0 || b.Deleted {
		t.Log.Add(effect.PurgeEnded{Num: w.Num})
	}
	return err
}

// removeAll removes the records of a deleted subscription.
func (w *Purge) removeAll(t *Tx) (done bool, err error) {
	// No stage is kept: the first key of the first bucket that has one is where the last step
	// ended.
	for _, id := range []buckets.Bucket{
		buckets.Rows, buckets.Bodies, buckets.States, buckets.Due, buckets.Keyed, buckets.Chunks,
	} {
		// They are collected first: a cursor that goes on after a delete may skip a key.
		keys, more := w.keys(t, id, nil, w.left)
		w.left -= len(keys)
		for _, k := range keys {
			// Before the removal: it reads the events of a chunk.
			w.orphan(t, id, k)
			// Not through Pending: no caller looks up in these chunks any more.
			if err := t.Remove(id, k); err != nil {
				return false, err
			}
		}
		if more {
			return false, nil
		}
	}
	return true, t.Counts.RemoveRecent(w.Num)
}

// orphan notes the events of a record of a deleted subscription: they may have no recipient left.
func (w *Purge) orphan(t *Tx, id buckets.Bucket, key []byte) {
	switch id {
	case buckets.Rows:
		t.Log.Add(effect.EventsOrphaned{Seqs: []uint64{record.KeyNumber(key, 1)}})
	case buckets.Chunks:
		seqs, err := record.DecodeChunk(key, t.Get(buckets.Chunks, key))
		if err != nil {
			w.ageUnknown(t)
		}
		t.Log.Add(effect.EventsOrphaned{Seqs: seqs})
	}
}

// ageUnknown notes that deliveries are gone, and that the record of their events can't be read:
// Prune must look for events that have no recipient left.
func (w *Purge) ageUnknown(t *Tx) {
	t.Log.Add(effect.AgesUnknown{UpTo: t.Bucket(buckets.Events).Sequence()})
}

// keys returns at most n keys of the subscription after a key, and whether there are more.
func (w *Purge) keys(t *Tx, id buckets.Bucket, after []byte, n int) (keys [][]byte, more bool) {
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
