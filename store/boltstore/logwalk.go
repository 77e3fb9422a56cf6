package boltstore

import (
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// logWalk is one step of a round through the log.
type logWalk struct {
	retention store.Retention
	house     house // where the round is

	rows       [][2]uint64 // rows that are past their retention: subscription and event
	events     []uint64    // events that nothing refers to any more
	pastCounts [][]byte    // counts that are past, of the front of theirs
	blocked    uint64      // an event up to which the watermark must rise first

	ages   ages   // of what is kept
	read   uint64 // if not 0, what was unread is read up to this event
	looked int    // how many events and deliveries it has looked at
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
func (w *logWalk) young(e *event, now int64) bool {
	shortest := w.shortest()
	return shortest <= 0 || now-e.enqueued <= int64(shortest)
}

// look finds what is to be removed.
func (w *logWalk) look(t *txn) error {
	w.pastCounts = t.pastCounts(pruneStep)
	c := t.bucket(log).Cursor()
	for h := &w.house; len(h.round) > 0; h.round = h.round[1:] {
		if done, err := w.lookThrough(t, c, h.round[0]); err != nil || !done {
			return err
		}
		h.seq, h.target, h.kept = 0, 0, false
	}
	return nil
}

// lookThrough looks at a stretch, from where the round is. It is not done when the step got too long, or is blocked.
func (w *logWalk) lookThrough(t *txn, c *bolt.Cursor, st stretch) (done bool, err error) {
	h := &w.house
	key := key1(max(h.seq, st.from))
	for k, v := c.Seek(key[:]); k != nil && number(k, 0) <= st.to; k, v = c.Next() {
		if seq := number(k, 0); seq != h.seq {
			h.seq, h.target, h.kept = seq, 0, false
		}
		w.looked++
		e, err := decodeEvent(k, v)
		if err == nil && st.unread && !h.all && w.young(&e, t.now) {
			w.read = h.seq
			return true, nil
		}
		packed, err2 := decodeTargets(k, v)
		if err != nil || err2 != nil {
			continue // it stays, and whoever reads it is told
		}
		done, err := w.lookAt(t, e.keyHash(), packed)
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

func (w *logWalk) enough() bool     { return len(w.rows)+len(w.events) >= pruneStep }
func (w *logWalk) late(t *txn) bool { return t.store.now()-t.now > sliceTime }

// lookRun is how many deliveries of an event are looked at between two looks at the clock. Each step decodes the list of
// the event's subscriptions, so it must do more than a few of them: a step of one each would make the whole quadratic.
const lookRun = 256

// lookAt finds what is to be removed of one event. It is not done when the step got too long, or is blocked.
func (w *logWalk) lookAt(t *txn, keyHash uint64, packed []byte) (done bool, err error) {
	nums, err := unpackAll(packed)
	if err != nil {
		return false, err
	}
	h := &w.house
	for i, num := range nums[min(h.target, len(nums)):] {
		if i > 0 && (w.enough() || i%lookRun == 0 && w.late(t)) {
			return false, nil
		}
		h.target++
		w.looked++
		if !t.alive(num) {
			continue
		}
		r, ok, err := t.find(num, h.seq, keyHash)
		switch {
		case err != nil:
			h.kept = true
		case !ok:
		case !w.outlived(&r, t.now):
			h.kept = true
			if !r.live() && !r.marked { // what is marked is noted when it has been swept
				w.ages.noteFinished(h.seq, r.state == store.Delivered, r.finished)
			}
		case h.seq > t.w:
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
		if e, err := decodeEvent(k, v); err != nil || w.young(&e, t.now) {
			return
		}
		w.blocked = number(k, 0)
	}
}

// outlived reports whether a delivery finished longer ago than it is to be kept.
func (w *logWalk) outlived(r *row, now int64) bool {
	keep := w.retention.Failed
	if r.state == store.Delivered {
		keep = w.retention.Delivered
	}
	return !r.live() && r.stored && !r.marked && keep > 0 && now-r.finished > int64(keep)
}

// remove removes what was found, as far as it is still so. When a round for orphans has ended, it notes that.
func (w *logWalk) remove(t *txn, ended bool) error {
	t.wrote = true // so that the watermark rises
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
	for _, k := range w.pastCounts {
		if err := t.remove(counts, k); err != nil {
			return err
		}
	}
	if ended {
		return t.putMetaNumber(metaOrphans, 0)
	}
	return nil
}

func (w *logWalk) removeRow(t *txn, num, seq uint64) error {
	key := key2(num, seq)
	v := t.get(deliveries, key[:])
	if v == nil {
		return nil
	}
	r, err := decodeRow(key[:], v)
	if err != nil || !w.outlived(&r, t.now) {
		return nil // it was requeued
	}
	if err := t.remove(deliveries, key[:]); err != nil {
		return err
	}
	if r.overridden() {
		if err := t.removeOverride(num, seq); err != nil {
			return err
		}
	}
	return t.leaveChunk(num, seq)
}

// removeEvent removes an event that nothing refers to any more.
func (t *txn) removeEvent(seq uint64) error {
	key := key1(seq)
	v := t.get(log, key[:])
	if v == nil {
		return nil
	}
	e, err := decodeEvent(key[:], v)
	if err != nil {
		return err
	}
	if needed, err := t.needed(seq, v, e.keyHash()); needed || err != nil {
		return err
	}
	if err := t.forgetID(e.id); err != nil {
		return err
	}
	return t.remove(log, key[:])
}

// needed reports whether an event has a delivery: those that were to be removed may have been requeued meanwhile.
func (t *txn) needed(seq uint64, v []byte, keyHash uint64) (needed bool, err error) {
	key := key1(seq)
	packed, err := decodeTargets(key[:], v)
	if err != nil {
		return true, err
	}
	var failed error
	err = unpack(packed, func(num uint64) bool {
		if t.alive(num) {
			if _, needed, failed = t.find(num, seq, keyHash); failed != nil {
				needed = true
			}
		}
		return !needed
	})
	return needed, err
}
