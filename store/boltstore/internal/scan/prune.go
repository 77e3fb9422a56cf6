package scan

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// Stretch is a range of events that a walk through the log looks at. Both ends belong to it. Their
// numbers need not all have an event.
type Stretch struct {
	From, To uint64
	// What has finished of them is not known; it ends at the first event that is too young.
	Unread bool
}

// Round is how far a round through the log has come. It is kept in memory between steps and not in
// the file: after a restart a new round begins.
type Round struct {
	Stretches []Stretch // what it has yet to look at
	seq       uint64    // the event of the first of them where it goes on; 0 at its beginning
	recipient int       // how many of that event's subscriptions are done with
	kept      bool      // one of them is still needed
	held      uint64    // one of them whose row is held back, see PruneWalk.takeRow; 0 if none is
	All       bool      // no event is too young to be looked at
}

// PruneWalk is one step of a round through the log. It reads in one transaction and removes in
// another, since publishers don't wait for one that reads. Between the two anything may change, so
// Remove looks at each delivery again.
type PruneWalk struct {
	Retention store.Retention // of this call; it may differ from that of the last step
	Round                     // where it is

	Rows    [][2]uint64 // rows that are past their retention: subscription and event
	Events  []uint64    // events that nothing refers to any more
	Counts  [][]byte    // counts that are past, of the front of theirs
	Blocked uint64      // an event up to which the watermark must rise first

	Finished func(seq uint64, delivered bool, at int64) // is told of what is kept
	// If not 0, what was unread is read up to this event.
	ReadUpTo uint64
	// How many events and deliveries it has looked at.
	Looked int
}

// shortest returns the shorter retention; 0 when all is kept. 0 stands for ever, so it is not the
// shorter one.
func (w *PruneWalk) shortest() time.Duration {
	d, f := w.Retention.Delivered, w.Retention.Failed
	if d <= 0 || f > 0 && f < d {
		return f
	}
	return d
}

// young reports whether nothing of the event can be past its retention. A delivery can't have
// finished before its event was enqueued.
func (w *PruneWalk) young(e *record.EventView, now int64) bool {
	shortest := w.shortest()
	return shortest <= 0 || now-e.EnqueuedAt <= int64(shortest)
}

// Read finds what is to be removed. What stays is told to Finished, so that memory knows when to
// look again.
func (w *PruneWalk) Read(t *txn.Tx) error {
	// In every step, since it costs one look at the front of their bucket when there are none.
	w.Counts = t.Counts.Past(txn.PruneStep)
	c := t.Bucket(buckets.Events).Cursor()
	for h := &w.Round; len(h.Stretches) > 0; h.Stretches = h.Stretches[1:] {
		if done, err := w.readStretch(t, c, h.Stretches[0]); err != nil || !done {
			return err
		}
		h.begin(0)
	}
	return nil
}

// readStretch looks at a stretch, from where the round is. It is not done when the step got too
// long, or is blocked.
func (w *PruneWalk) readStretch(t *txn.Tx, c *bolt.Cursor, st Stretch) (done bool, err error) {
	h := &w.Round
	key := record.Key1(max(h.seq, st.From))
	for k, v := c.Seek(key[:]); k != nil && record.KeyNumber(k, 0) <= st.To; k, v = c.Next() {
		// The event where the last step stopped keeps its place among the recipients, unless it is
		// gone by now.
		if seq := record.KeyNumber(k, 0); seq != h.seq {
			h.begin(seq)
		}
		w.Looked++
		e, err := record.ViewEvent(k, v)
		// Events are in the order of their times, but for a clock that was set back, so what comes
		// after it is younger as a rule. A round for orphans has to see all of them.
		if err == nil && st.Unread && !h.All && w.young(&e, t.Now) {
			w.ReadUpTo = h.seq
			return true, nil
		}
		packed, err2 := record.DecodeRecipients(k, v)
		if err != nil || err2 != nil {
			continue // it stays, and each reader of it gets the error
		}
		done, err := w.readEvent(t, e.KeyHash(), packed)
		if err != nil {
			return false, err
		}
		if !done {
			w.readAhead(t, c)
			return false, nil
		}
		w.releaseRow()
		if !h.kept {
			// Without a delivery that is kept; those in Rows go in the same transaction, before it.
			w.Events = append(w.Events, h.seq)
		}
		if w.full(t) {
			// The next step begins behind this event, which is done with.
			h.begin(h.seq + 1)
			return false, nil
		}
	}
	if st.Unread {
		w.ReadUpTo = st.To + 1
	}
	return true, nil
}

// begin goes on to an event, 0 if that is not known.
func (h *Round) begin(seq uint64) { h.seq, h.recipient, h.kept, h.held = seq, 0, false, 0 }

// takeRow takes a row of the event for removal. The last one is held back until all recipients have
// been looked at, so that an event that goes does so in the transaction of its last delivery. If
// the delivery went in an earlier one, Prune could be cut off in between, and the event would be
// there in no listing: Erase would not find it.
func (w *PruneWalk) takeRow(num uint64) {
	w.releaseRow()
	w.held = num
}

// releaseRow has the row that is held back removed, if there is one.
func (w *PruneWalk) releaseRow() {
	if w.held != 0 {
		w.Rows = append(w.Rows, [2]uint64{w.held, w.seq})
		w.held = 0
	}
}

// full reports whether the step is long enough.
func (w *PruneWalk) full(t *txn.Tx) bool { return w.enough() || w.slow(t) }

// enough reports whether the step has found as much as one transaction may remove.
func (w *PruneWalk) enough() bool { return len(w.Rows)+len(w.Events) >= txn.PruneStep }

func (w *PruneWalk) slow(t *txn.Tx) bool { return t.IsSlow() }

// deliveryBatch is how many deliveries of an event are looked at between two looks at the clock.
// Each step decodes the list of the event's subscriptions, so it must do more than a few of them: a
// step of one each would make the whole quadratic.
const deliveryBatch = 256

// readEvent finds what is to be removed of one event. It is not done when the step got too long, or
// is blocked.
func (w *PruneWalk) readEvent(t *txn.Tx, keyHash uint64, packed []byte) (done bool, err error) {
	nums, err := record.UnpackAll(packed)
	if err != nil {
		return false, err
	}
	h := &w.Round
	for i, num := range nums[min(h.recipient, len(nums)):] {
		// i counts from where this step began, so each step does one batch of the event at least,
		// however slow it is.
		if i > 0 && (w.enough() || i%deliveryBatch == 0 && w.slow(t)) {
			return false, nil
		}
		h.recipient++
		w.Looked++
		if !t.Subs.Exists(num) {
			continue
		}
		r, ok, err := t.Pending.Find(num, h.seq, keyHash)
		switch {
		// It may be pending, so the event stays; Claim finds it, and then it dies.
		case err != nil:
			h.kept = true
		case !ok:
		case !w.outlived(&r, t.Now):
			h.kept = true
			if !r.Pending() && !r.Marked { // what is marked is noted when it has been purged
				w.Finished(h.seq, r.State == store.Delivered, r.FinishedAt)
			}
		// Without a row it would be pending again. The watermark has to rise first, and the next
		// step looks at it again.
		case h.seq > t.Pending.Watermark:
			h.recipient--
			w.Blocked = h.seq
			return false, nil
		default:
			w.takeRow(num)
		}
	}
	return true, nil
}

// readAhead lets the watermark rise by more than one event when it must. Each rise costs commits,
// and what follows an event that is old enough most likely is so too.
func (w *PruneWalk) readAhead(t *txn.Tx, c *bolt.Cursor) {
	if w.Blocked == 0 {
		return
	}
	for range txn.PruneStep {
		k, v := c.Next()
		if k == nil {
			return
		}
		if e, err := record.ViewEvent(k, v); err != nil || w.young(&e, t.Now) {
			return
		}
		w.Blocked = record.KeyNumber(k, 0)
	}
}

// outlived reports whether a delivery finished longer ago than it is to be kept. A delivery without
// a row has not finished, and one that is marked is left to its purge.
func (w *PruneWalk) outlived(r *pending.Delivery, now int64) bool {
	keep := w.Retention.Failed
	if r.State == store.Delivered {
		keep = w.Retention.Delivered
	}
	return !r.Pending() && r.Stored && !r.Marked && keep > 0 && now-r.FinishedAt > int64(keep)
}

// Remove removes what was found, as far as it is still so. When a round for orphans has ended, it
// notes that. It may run more than once, so it changes nothing in w.
func (w *PruneWalk) Remove(t *txn.Tx, ended bool) error {
	for _, p := range w.Rows {
		if err := w.removeRow(t, p[0], p[1]); err != nil {
			return err
		}
	}
	// After the rows, for an event goes only if it has no delivery any more.
	for _, seq := range w.Events {
		if err := t.Events.Remove(seq); err != nil {
			return err
		}
	}
	if err := t.Counts.Remove(w.Counts); err != nil || !ended {
		return err
	}
	return t.PutMetaNumber(buckets.MetaOrphans, 0)
}

// removeRow removes the records of a delivery, if it is still past its retention. It is no error if
// it is not: the next round looks at it again.
func (w *PruneWalk) removeRow(t *txn.Tx, num, seq uint64) error {
	id := pending.ID{Num: num, Seq: seq}
	d, ok, err := t.Pending.Row(id)
	if err != nil || !ok || !w.outlived(&d, t.Now) {
		return nil // it was requeued, or can't be read
	}
	return t.Pending.RemoveRow(id, &d)
}
