package txn

import (
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Erase erases events, and returns how many were not before, and which of them have a mark: their
// erasure has to be finished.
func (t *Tx) Erase(seqs []uint64) (n int, marked []uint64, err error) {
	until := t.settings.Now() + eraseTime
	for _, seq := range seqs {
		erased, done, err := t.eraseEvent(seq, until)
		if err != nil {
			return 0, nil, err
		}
		if erased {
			n++
		}
		if !done {
			marked = append(marked, seq)
		}
	}
	return n, marked, nil
}

// eraseEvent erases an event, if it is there and was not before. It takes the first step at once:
// an event that few want needs no other, and no mark in the file. It is done if nothing is left to
// do.
func (t *Tx) eraseEvent(seq uint64, until int64) (erased, done bool, err error) {
	key := record.Key1(seq)
	v := t.Get(BucketEvents, key[:])
	if v == nil {
		return false, true, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return false, false, err
	}
	if e.Erased() {
		m, err := t.Erasures.Erasure(seq)
		return false, m == nil, err
	}
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return false, false, err
	}
	e.Body, e.Trace = nil, ""
	encoded := e.Encode(key[:], packed) // before anything is written: packed is the file's memory
	all, err := t.Erasures.List()
	if err != nil {
		return false, false, err
	}
	asOf, err := t.nextSeq()
	if err != nil {
		return false, false, err
	}
	if err := t.put(BucketEvents, key[:], encoded); err != nil {
		return false, false, err
	}
	t.Erasures.all = append(all, record.Erasure{Seq: seq, AsOf: asOf, At: t.Now})
	t.effects.add(EventErased{seq})
	if done, err = t.eraseRecords(seq, t.settings.EraseStep, until); err != nil || done {
		return err == nil, done, err
	}
	t.effects.add(ErasureBegun{seq})
	return true, false, t.Erasures.store()
}

// eraseDelivery gives a delivery a record that is in line with the mark of its event. It reports
// whether it was not so yet.
func (t *Tx) eraseDelivery(num, seq, keyHash uint64) (changed bool, err error) {
	was, ok, err := t.Pending.Find(num, seq, keyHash)
	switch {
	// It dies when it is claimed, so Claim must find it again.
	case err != nil && t.Pending.Unreadable(num, seq):
		t.effects.add(RowUnreadable{num, seq})
		return true, t.Pending.Overrides.Remove(num, seq)
	case err != nil || !ok || !was.Outdated:
		return false, err
	}
	r := was
	if was.Marked {
		r.Due, r.AtOnce, r.Blocked = 0, 0, false
	}
	return true, t.Pending.Transition(pending.ID{Num: num, Seq: seq}, was, r, was.Marked)
}

// dropLateResponse drops the response of an attempt when the event is erased: it came late.
func (t *Tx) dropLateResponse(seq uint64, o *Outcome) error {
	key := record.Key1(seq)
	e, err := record.DecodeEvent(key[:], t.Get(BucketEvents, key[:]))
	if err == nil && e.Erased() {
		o.attempt = record.AppendAttempt(nil, &o.Attempt)
	}
	return err
}
