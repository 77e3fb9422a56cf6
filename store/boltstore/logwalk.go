package boltstore

import (
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"

	"github.com/outhook/outhook/store"
	bolt "go.etcd.io/bbolt"
)

// stretch is a range of events that a walk through the log looks at. Both ends belong to it.
type stretch struct {
	from, to uint64
	unread   bool // what has finished of them is not known; it ends at the first event that is too young
}

// round is how far a round through the log has come.
type round struct {
	stretches []stretch // what it has yet to look at
	seq       uint64    // the event of the first of them where it goes on; 0 at its beginning
	target    int       // how many of that event's subscriptions are done with
	kept      bool      // one of them is still needed
	all       bool      // no event is too young to be looked at
}

// logWalk is one step of a round through the log.
type logWalk struct {
	retention store.Retention
	round     // where it is

	rows    [][2]uint64 // rows that are past their retention: subscription and event
	events  []uint64    // events that nothing refers to any more
	slots   [][]byte    // counts that are past, of the front of theirs
	blocked uint64      // an event up to which the watermark must rise first

	finished func(seq uint64, delivered bool, at int64) // is told of what is kept
	read     uint64                                     // if not 0, what was unread is read up to this event
	looked   int                                        // how many events and deliveries it has looked at
}

// shortest returns the shorter retention; 0 when all is kept.
func (w *logWalk) shortest() time.Duration {
	d, f := w.retention.Delivered, w.retention.Failed
	if d <= 0 || f > 0 && f < d {
		return f
	}
	return d
}

// young reports whether nothing of the event can be past its retention.
func (w *logWalk) young(e *record.Event, now int64) bool {
	shortest := w.shortest()
	return shortest <= 0 || now-e.EnqueuedAt <= int64(shortest)
}

// look finds what is to be removed.
func (w *logWalk) look(t *txn) error {
	w.slots = t.counts.past(pruneStep)
	c := t.bucket(BucketEvents).Cursor()
	for h := &w.round; len(h.stretches) > 0; h.stretches = h.stretches[1:] {
		if done, err := w.lookThrough(t, c, h.stretches[0]); err != nil || !done {
			return err
		}
		h.seq, h.target, h.kept = 0, 0, false
	}
	return nil
}

// lookThrough looks at a stretch, from where the round is. It is not done when the step got too long, or is blocked.
func (w *logWalk) lookThrough(t *txn, c *bolt.Cursor, st stretch) (done bool, err error) {
	h := &w.round
	key := record.Key1(max(h.seq, st.from))
	for k, v := c.Seek(key[:]); k != nil && record.KeyNumber(k, 0) <= st.to; k, v = c.Next() {
		if seq := record.KeyNumber(k, 0); seq != h.seq {
			h.seq, h.target, h.kept = seq, 0, false
		}
		w.looked++
		e, err := record.DecodeEvent(k, v)
		if err == nil && st.unread && !h.all && w.young(&e, t.now) {
			w.read = h.seq
			return true, nil
		}
		packed, err2 := record.DecodeRecipients(k, v)
		if err != nil || err2 != nil {
			continue // it stays, and whoever reads it is told
		}
		done, err := w.lookAt(t, e.KeyHash(), packed)
		if err != nil {
			return false, err
		}
		if !done {
			w.lookAhead(t, c)
			return false, nil
		}
		if !h.kept {
			w.events = append(w.events, h.seq)
		}
		if w.full(t) {
			h.seq++
			h.target, h.kept = 0, false
			return false, nil
		}
	}
	if st.unread {
		w.read = st.to + 1
	}
	return true, nil
}

// full reports whether the step is long enough.
func (w *logWalk) full(t *txn) bool { return w.enough() || w.late(t) }

func (w *logWalk) enough() bool { return len(w.rows)+len(w.events) >= pruneStep }

func (w *logWalk) late(t *txn) bool { return t.settings.now()-t.now > sliceTime }

// lookRun is how many deliveries of an event are looked at between two looks at the clock. Each step decodes the list of
// the event's subscriptions, so it must do more than a few of them: a step of one each would make the whole quadratic.
const lookRun = 256

// lookAt finds what is to be removed of one event. It is not done when the step got too long, or is blocked.
func (w *logWalk) lookAt(t *txn, keyHash uint64, packed []byte) (done bool, err error) {
	nums, err := record.UnpackAll(packed)
	if err != nil {
		return false, err
	}
	h := &w.round
	for i, num := range nums[min(h.target, len(nums)):] {
		if i > 0 && (w.enough() || i%lookRun == 0 && w.late(t)) {
			return false, nil
		}
		h.target++
		w.looked++
		if !t.subs.exists(num) {
			continue
		}
		r, ok, err := t.pending.Find(num, h.seq, keyHash)
		switch {
		case err != nil:
			h.kept = true
		case !ok:
		case !w.outlived(&r, t.now):
			h.kept = true
			if !r.Pending() && !r.Marked { // what is marked is noted when it has been swept
				w.finished(h.seq, r.State == store.Delivered, r.FinishedAt)
			}
		case h.seq > t.pending.Watermark:
			h.target--
			w.blocked = h.seq
			return false, nil
		default:
			w.rows = append(w.rows, [2]uint64{num, h.seq})
		}
	}
	return true, nil
}

// lookAhead lets the watermark rise by more than one event when it must.
func (w *logWalk) lookAhead(t *txn, c *bolt.Cursor) {
	if w.blocked == 0 {
		return
	}
	for range pruneStep {
		k, v := c.Next()
		if k == nil {
			return
		}
		if e, err := record.DecodeEvent(k, v); err != nil || w.young(&e, t.now) {
			return
		}
		w.blocked = record.KeyNumber(k, 0)
	}
}

// outlived reports whether a delivery finished longer ago than it is to be kept.
func (w *logWalk) outlived(r *pending.Delivery, now int64) bool {
	keep := w.retention.Failed
	if r.State == store.Delivered {
		keep = w.retention.Delivered
	}
	return !r.Pending() && r.Stored && !r.Marked && keep > 0 && now-r.FinishedAt > int64(keep)
}

// remove removes what was found, as far as it is still so. When a round for orphans has ended, it notes that.
func (w *logWalk) remove(t *txn, ended bool) error {
	for _, p := range w.rows {
		if err := w.removeRow(t, p[0], p[1]); err != nil {
			return err
		}
	}
	for _, seq := range w.events {
		if err := t.removeEvent(seq); err != nil {
			return err
		}
	}
	for _, k := range w.slots {
		if err := t.remove(BucketCounts, k); err != nil {
			return err
		}
	}
	if ended {
		return t.putMetaNumber(metaOrphans, 0)
	}
	return nil
}

func (w *logWalk) removeRow(t *txn, num, seq uint64) error {
	key := record.Key2(num, seq)
	v := t.get(BucketRows, key[:])
	if v == nil {
		return nil
	}
	stored, err := record.DecodeRow(key[:], v)
	r := pending.Delivery{Row: stored, Stored: true}
	if err != nil || !w.outlived(&r, t.now) {
		return nil // it was requeued
	}
	return t.pending.RemoveRow(pending.ID{Num: num, Seq: seq}, &r)
}

// removeEvent removes an event that nothing refers to any more.
func (t *txn) removeEvent(seq uint64) error {
	key := record.Key1(seq)
	v := t.get(BucketEvents, key[:])
	if v == nil {
		return nil
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return err
	}
	if needed, err := t.needed(seq, v, e.KeyHash()); needed || err != nil {
		return err
	}
	if err := t.ids.forget(e.ID); err != nil {
		return err
	}
	return t.remove(BucketEvents, key[:])
}

// needed reports whether an event has a delivery: those that were to be removed may have been requeued meanwhile.
func (t *txn) needed(seq uint64, v []byte, keyHash uint64) (needed bool, err error) {
	key := record.Key1(seq)
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return true, err
	}
	var failed error
	err = record.Unpack(packed, func(num uint64) bool {
		if t.subs.exists(num) {
			if _, needed, failed = t.pending.Find(num, seq, keyHash); failed != nil {
				needed = true
			}
		}
		return !needed
	})
	return needed, err
}

// pruneStep bounds the records that one Prune changes.
const pruneStep = 1000
