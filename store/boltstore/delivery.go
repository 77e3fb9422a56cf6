package boltstore

import (
	"github.com/outhook/outhook/store"
)

// find returns what has become of a delivery: its row; or, without one, a fresh pending delivery when the event is
// above the watermark or in a chunk. ok is false when there is no such delivery. The caller knows that the subscription
// is one of the event's, and the hash of the event's key.
func (t *txn) find(num, seq, keyHash uint64) (r row, ok bool, err error) {
	key := key2(num, seq)
	if v := t.get(deliveries, key[:]); v != nil {
		if r, err = decodeRow(key[:], v); err != nil {
			return row{}, false, err
		}
	} else {
		pending := seq > t.w
		if !pending {
			if _, pending, err = t.inChunk(num, seq); err != nil || !pending {
				return row{}, false, err
			}
		}
		r = row{state: store.Pending, stamp: seq, key: keyHash}
	}
	return r, true, t.applyMarks(num, seq, &r)
}

// applyMarks makes a delivery what the marks of its subscription and its event say.
func (t *txn) applyMarks(num, seq uint64, r *row) error {
	if err := t.heedMarks(num, r); err != nil {
		return err
	}
	return t.applyErasure(num, seq, r)
}

// heedMarks makes a pending delivery what the marks of its subscription say.
func (t *txn) heedMarks(num uint64, r *row) error {
	if !r.live() {
		return nil
	}
	b, err := t.backlog(num)
	if err != nil {
		return err
	}
	if m := canceled(b.marks, r.stamp); m != nil {
		r.state, r.finished, r.reason, r.marked = store.Canceled, m.at, m.reason, true
	}
	return nil
}

// replace makes a delivery what r says, where it was what was says, and keeps index and backlog in step. It knows
// nothing of keys; see transition. When drop is set, a lease on the delivery ends.
func (t *txn) replace(num, seq uint64, was, r row, drop bool) error {
	if (was.outdated || was.overridden()) && !r.overridden() {
		if err := t.removeOverride(num, seq); err != nil {
			return err
		}
	}
	r.stored, r.marked = true, false
	indexed := was.stored && was.listed() && !was.behind
	if err := t.reindex(num, seq, indexed, was.place(seq), r.live() && !r.behind, r.place(seq)); err != nil {
		return err
	}
	if err := t.recount(num, seq, was, r); err != nil {
		return err
	}
	key := key2(num, seq)
	if err := t.put(deliveries, key[:], r.encode(key[:])); err != nil {
		return err
	}
	t.rowed = append(t.rowed, rowed{num, seq})
	m := move{
		num: num, seq: seq, pending: r.live(), behind: r.behind, place: r.place(seq), drop: drop || !r.live(),
		delivered: r.state == store.Delivered, finished: r.finished,
	}
	t.after(func() { t.store.moved(m) })
	return nil
}

// recount keeps the number of pending deliveries that are not fresh.
func (t *txn) recount(num, seq uint64, was, r row) error {
	n := 0
	if r.live() {
		n++
	}
	if was.live() || was.counted {
		chunked, err := t.chunked(num, seq)
		if err != nil {
			return err
		}
		if was.stored || chunked {
			n--
		}
	}
	if n == 0 {
		return nil
	}
	b, err := t.editBacklog(num)
	if err != nil {
		return err
	}
	b.pending += n
	return nil
}

// reindex takes a delivery from its place in the index to another.
func (t *txn) reindex(num, seq uint64, had bool, was place, has bool, is place) error {
	if had && has && was == is {
		return nil
	}
	if had {
		key := key3(num, uint64(was.Due), seq)
		if err := t.remove(index, key[:]); err != nil {
			return err
		}
	}
	if has {
		key := key3(num, uint64(is.Due), seq)
		return t.put(index, key[:], nil)
	}
	return nil
}

// transition is replace for a delivery that may have a key: when it ends, the next of its key comes forward; when it is
// pending again, those behind it step back.
func (t *txn) transition(num, seq uint64, was, r row, drop bool) error {
	if r.key == 0 {
		return t.replace(num, seq, was, r, drop)
	}
	key := key3(num, r.key, seq)
	switch {
	case !was.live() && r.live():
		if err := t.put(keyed, key[:], nil); err != nil {
			return err
		}
		_, earlier, err := t.neighbour(num, r.key, 0, seq)
		if err != nil {
			return err
		}
		r.behind = earlier != nil
		if err := t.stepBack(num, seq, r.key); err != nil {
			return err
		}
		return t.replace(num, seq, was, r, drop)
	case was.listed() && !r.live():
		if err := t.remove(keyed, key[:]); err != nil {
			return err
		}
		if err := t.replace(num, seq, was, r, drop); err != nil {
			return err
		}
		return t.comeForward(num, r.key)
	}
	return t.replace(num, seq, was, r, drop)
}

// comeForward lets the first pending delivery of a key be claimed.
func (t *txn) comeForward(num, keyHash uint64) error {
	seq, r, err := t.neighbour(num, keyHash, 0, 0)
	if err != nil || r == nil || !r.behind {
		return err
	}
	next := *r
	next.behind = false
	return t.replace(num, seq, *r, next, false)
}

// stepBack keeps the pending delivery that comes after seq in its key from being claimed. A lease on it stays.
func (t *txn) stepBack(num, seq, keyHash uint64) error {
	later, r, err := t.neighbour(num, keyHash, seq+1, 0)
	if err != nil || r == nil || r.behind {
		return err
	}
	next := *r
	next.behind = true
	return t.replace(num, later, *r, next, false)
}

// neighbour returns the first pending delivery of a key from seq from on and, when before is not 0, before that; nil
// when there is none. Those that a mark has canceled are passed over.
func (t *txn) neighbour(num, keyHash, from, before uint64) (seq uint64, r *row, err error) {
	c := t.bucket(keyed).Cursor()
	start := key3(num, keyHash, from)
	for k, _ := c.Seek(start[:]); k != nil && string(k[:num2]) == string(start[:num2]); k, _ = c.Next() {
		seq := number(k, 2)
		if before != 0 && seq >= before {
			break
		}
		found, ok, err := t.find(num, seq, keyHash)
		if err != nil {
			return 0, nil, err
		}
		if ok && found.live() {
			return seq, &found, nil
		}
	}
	return 0, nil, nil
}
