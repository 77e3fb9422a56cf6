package boltstore

import (
	"github.com/outhook/outhook/store"
)

// erase erases events, and returns how many were not before.
func (t *txn) erase(seqs []uint64) (n int, err error) {
	for _, seq := range seqs {
		erased, err := t.eraseEvent(seq)
		if err != nil {
			return 0, err
		}
		if erased {
			n++
		}
	}
	return n, nil
}

// eraseEvent erases an event, if it is there and was not before.
func (t *txn) eraseEvent(seq uint64) (bool, error) {
	key := key1(seq)
	v := t.get(log, key[:])
	if v == nil {
		return false, nil
	}
	e, err := decodeEvent(key[:], v)
	if err != nil || e.erased() {
		return false, err
	}
	packed, err := decodeTargets(key[:], v)
	if err != nil {
		return false, err
	}
	nums, err := unpackAll(packed)
	if err != nil {
		return false, err
	}
	e.body, e.trace = nil, ""
	record := e.encode(key[:], packed) // before anything is written: packed is the file's memory
	for _, num := range nums {
		if !t.alive(num) {
			continue
		}
		if err := t.eraseDelivery(num, seq, e.keyHash()); err != nil {
			return false, err
		}
	}
	t.after(func() { t.store.recent.remove(seq) })
	return true, t.put(log, key[:], record)
}

// eraseDelivery removes what a delivery has of the event, or of what was answered to it, and cancels it when it is
// pending.
func (t *txn) eraseDelivery(num, seq, keyHash uint64) error {
	if t.unreadable(num, seq) { // it dies when it is claimed
		return t.removeBody(num, seq)
	}
	was, ok, err := t.find(num, seq, keyHash)
	if err != nil || !ok {
		return err
	}
	r := was
	if r.own {
		r.own = false
		if err := t.removeBody(num, seq); err != nil {
			return err
		}
	}
	if r.log, err = withoutResponses(&was); err != nil {
		return err
	}
	if !was.live() {
		if len(r.log) == len(was.log) && r.own == was.own {
			return nil
		}
		return t.transition(num, seq, was, r, false)
	}
	r.state, r.finished, r.due, r.reason, r.behind = store.Canceled, t.now, 0, eraseReason, false
	return t.transition(num, seq, was, r, true)
}

// unreadable reports whether a delivery has a row that can't be read.
func (t *txn) unreadable(num, seq uint64) bool {
	key := key2(num, seq)
	v := t.get(deliveries, key[:])
	if v == nil {
		return false
	}
	_, err := decodeRow(key[:], v)
	return err != nil
}

// heedErasure drops the response of an attempt when the event is erased: it came late.
func (t *txn) heedErasure(seq uint64, o *outcome) error {
	key := key1(seq)
	e, err := decodeEvent(key[:], t.get(log, key[:]))
	if err == nil && e.erased() {
		o.attempt = appendAttempt(nil, &o.Attempt)
	}
	return err
}

// withoutResponses returns the attempts of a row without what was answered.
func withoutResponses(r *row) (log []byte, err error) {
	log = make([]byte, 0, len(r.log))
	err = r.eachAttempt(func(a attempt) {
		record := a.record()
		record.Response = nil
		log = appendAttempt(log, &record)
	})
	return log, err
}
