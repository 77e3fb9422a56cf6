package boltstore

import (
	"bytes"
	"slices"

	"github.com/outhook/outhook/store"
)

// sweepState is how far the sweep of a subscription has come: doing to its records what its marks say, or removing them
// when it is deleted.
type sweepState struct {
	num   uint64
	stage int    // the position in sweepStages
	after []byte // the last key that was looked at in this stage
	upTo  uint64 // the last mark when the first stage began
}

// sweepStages are the buckets where canceled deliveries are found, in turn. What is fresh comes before them.
var sweepStages = [...]bucketID{chunks, index, keyed}

// sweepRun is how many deliveries are canceled between two looks at the clock.
const sweepRun = 128

// add notes that a subscription is to be swept, from the beginning.
func (h *house) add(num uint64) {
	h.swept(num)
	h.sweeps = append(h.sweeps, &sweepState{num: num})
}

// swept notes that a subscription needs no sweeping any more.
func (h *house) swept(num uint64) {
	h.sweeps = slices.DeleteFunc(h.sweeps, func(s *sweepState) bool { return s.num == num })
}

// sweeping is one step of a sweep.
type sweeping struct {
	sweepState
	state *sweepState // where the next step reads how far this one came

	fresh []uint64 // deliveries that only memory knows and that are to be canceled
	left  int      // how many records may still be changed
	seen  int      // how many more may be looked at
	until int64    // when it is to end
}

// planSweep returns the next step; nil when there is nothing to sweep.
func (s *Store) planSweep() *sweeping {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.house.sweeps) == 0 {
		return nil
	}
	state := s.house.sweeps[0]
	q := s.schedule.Sub(state.num)
	if q != nil && len(q.Data.marks) > 0 && state.upTo == 0 {
		state.upTo = q.Data.marks[len(q.Data.marks)-1].seq
	}
	w := &sweeping{sweepState: *state, state: state}
	if q != nil {
		w.fresh = q.ImplicitUpTo(state.upTo)
	}
	return w
}

func (w *sweeping) run(t *txn) error {
	w.sweepState, w.left, w.seen, w.until = *w.state, pruneStep, 4*pruneStep, t.store.now()+2*sliceTime
	t.wrote = true
	b, err := t.backlog(w.num)
	if err != nil {
		return err
	}
	var done bool
	if b.deleted {
		done, err = w.removeAll(t)
	} else {
		done, err = w.cancelAll(t)
	}
	switch {
	case err != nil:
		return err
	case !done:
		next := w.sweepState
		t.after(func() { *w.state = next })
		return nil
	case b.deleted:
		t.keepBacklog(w.num, &backlog{})
		t.after(func() { t.store.house.orphans = true })
		err = t.putMetaNumber(metaOrphans, 1)
	case len(b.marks) > 0:
		if b, err = t.editBacklog(w.num); err == nil {
			b.marks = slices.DeleteFunc(slices.Clone(b.marks), func(m mark) bool { return m.seq <= w.upTo })
		}
	}
	if len(b.marks) == 0 || b.deleted {
		t.after(func() { t.store.house.swept(w.num) })
	}
	return err
}

// removeAll removes the records of a deleted subscription.
func (w *sweeping) removeAll(t *txn) (done bool, err error) {
	for _, id := range []bucketID{deliveries, bodies, index, keyed, chunks} {
		keys, more := w.keys(t, id, nil, w.left)
		w.left -= len(keys)
		for _, k := range keys {
			t.orphan(id, k)
			if err := t.remove(id, k); err != nil {
				return false, err
			}
		}
		if more {
			return false, nil
		}
	}
	return true, t.removeCounts(w.num)
}

// orphan notes the events of a record of a deleted subscription: they may be in nobody's way now.
func (t *txn) orphan(id bucketID, key []byte) {
	s := t.store
	switch id {
	case deliveries:
		seq := number(key, 1)
		t.after(func() { s.ages.merge(seq, age{orphaned: true}) })
	case chunks:
		seqs, err := decodeChunk(key, t.get(chunks, key))
		if err != nil {
			t.lose()
		}
		t.after(func() {
			for _, seq := range seqs {
				s.ages.merge(seq, age{orphaned: true})
			}
		})
	}
}

// lose notes that deliveries are gone of which nobody can say what events they were of: Prune must look for those that
// are in nobody's way.
func (t *txn) lose() {
	last := t.bucket(log).Sequence()
	t.after(func() { t.store.ages.readAgain(last) })
}

// keys returns at most n keys of the subscription after a key, and whether there are more.
func (w *sweeping) keys(t *txn, id bucketID, after []byte, n int) (keys [][]byte, more bool) {
	prefix := key1(w.num)
	start := prefix[:]
	if after != nil {
		start = append(bytes.Clone(after), 0)
	}
	c := t.bucket(id).Cursor()
	for k, _ := c.Seek(start); inSubscription(k, w.num); k, _ = c.Next() {
		if len(keys) == n {
			return keys, true
		}
		keys = append(keys, bytes.Clone(k))
	}
	return keys, false
}

// cancelAll gives the deliveries that a mark has canceled a row that says so, wherever they are found.
func (w *sweeping) cancelAll(t *txn) (done bool, err error) {
	for i, seq := range w.fresh {
		if i == pruneStep {
			return false, nil
		}
		if err := w.cancel(t, seq); err != nil {
			return false, err
		}
	}
	for ; w.stage < len(sweepStages); w.stage, w.after = w.stage+1, nil {
		id := sweepStages[w.stage]
		for more := true; more; {
			if w.left <= 0 || w.seen <= 0 || t.store.now() > w.until {
				return false, nil
			}
			if id == chunks {
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

// cancelKeys cancels what the next keys of the index, or of what has an ordering key, name. It is false when there are
// no more.
func (w *sweeping) cancelKeys(t *txn, id bucketID) (more bool, err error) {
	keys, more := w.keys(t, id, w.after, min(w.left, sweepRun))
	for _, k := range keys {
		w.seen--
		w.after = k
		if err := w.cancel(t, number(k, 2)); err != nil {
			return false, err
		}
	}
	return more, nil
}

// cancelChunk cancels what the first chunk has, and shortens it by that. It is false when nothing is left to do.
func (w *sweeping) cancelChunk(t *txn) (more bool, err error) {
	keys, _ := w.keys(t, chunks, nil, 1)
	if len(keys) == 0 {
		return false, nil
	}
	seqs, err := decodeChunk(keys[0], t.get(chunks, keys[0]))
	if err != nil { // all of it is canceled, and nobody knows what it was
		t.lose()
		return true, t.remove(chunks, keys[0])
	}
	n, _ := slices.BinarySearch(seqs, w.upTo)
	if n == 0 {
		return false, nil // what follows came after the marks
	}
	for _, seq := range seqs[:n] {
		if err := w.cancel(t, seq); err != nil {
			return false, err
		}
	}
	return true, t.rewriteChunk(keys[0], seqs[n:])
}

// cancel cancels a delivery, if a mark says so. It has a row, or is known to be pending without one. One that can't be
// read is left for Claim to find.
func (w *sweeping) cancel(t *txn, seq uint64) error {
	key := key2(w.num, seq)
	was, err := row{state: store.Pending, stamp: seq}, error(nil)
	if v := t.get(deliveries, key[:]); v != nil {
		was, err = decodeRow(key[:], v)
	} else {
		was.key = t.eventKeyHash(seq)
	}
	if err != nil {
		return nil
	}
	if err := t.applyMarks(w.num, seq, &was); err != nil || !was.marked {
		return err
	}
	w.left--
	r := was
	r.behind, r.due = false, 0
	return t.transition(w.num, seq, was, r, true)
}

// eventKeyHash returns the hash of an event's ordering key. One that can't be read has none.
func (t *txn) eventKeyHash(seq uint64) uint64 {
	key := key1(seq)
	e, err := decodeEvent(key[:], t.get(log, key[:]))
	if err != nil {
		return 0
	}
	return e.keyHash()
}
