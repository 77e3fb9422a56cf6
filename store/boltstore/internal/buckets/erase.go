package buckets

import (
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Erase erases events, and returns how many were not before, and which of them have a mark: their
// erasure has to be finished. All are in one transaction: what they carried is gone when it
// commits, from every reader's view.
func (e *erasures) Erase(seqs []uint64) (n int, marked []uint64, err error) {
	// One limit for all, and not one for each: it bounds how long publishers wait for this
	// transaction.
	until := e.Settings.Now() + eraseTime
	for _, seq := range seqs {
		erased, done, err := e.eraseEvent(seq, until)
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
func (e *erasures) eraseEvent(seq uint64, until int64) (erased, done bool, err error) {
	key := record.Key1(seq)
	v := e.Get(Events, key[:])
	if v == nil {
		return false, true, nil
	}
	ev, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return false, false, err
	}
	// A second Erase of the same event finishes what the first has left, and counts nothing.
	if ev.Erased() {
		m, err := e.Erasure(seq)
		return false, m == nil, err
	}
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return false, false, err
	}
	// ID, type, tenant and key stay: the ID keeps the event from being stored again, and by the key
	// its deliveries are found in the index of keys.
	ev.Body, ev.Trace = nil, ""
	encoded := ev.Encode(key[:], packed) // before anything is written: packed is the file's memory
	// What can fail to be read is read before the first write.
	all, err := e.List()
	if err != nil {
		return false, false, err
	}
	// A number of its own, which tells for each delivery whether the erasure or a Mark came first.
	asOf, err := e.NextSeq()
	if err != nil {
		return false, false, err
	}
	if err := e.put(Events, key[:], encoded); err != nil {
		return false, false, err
	}
	// Before eraseRecords, which finds the deliveries with the erasure applied.
	e.all = append(all, record.Erasure{Seq: seq, AsOf: asOf, At: e.Now})
	e.Log.Add(effect.EventErased{Seq: seq})
	if done, err = e.eraseRecords(seq, e.Settings.EraseStep, until); err != nil || done {
		return err == nil, done, err
	}
	// Only now: an erasure that one step has finished never bars the event in the schedule.
	e.Log.Add(effect.ErasureBegun{Seq: seq})
	return true, false, e.store()
}

// Step takes one step of an erasure. It is done if that was the last, or if there is none.
func (e *erasures) Step(seq uint64) (done bool, err error) {
	m, err := e.Erasure(seq)
	if err != nil || m == nil { // another call has taken the last
		return true, err
	}
	done, err = e.eraseRecords(seq, e.Settings.EraseStep, e.Settings.Now()+eraseTime)
	if err != nil {
		return false, err
	}
	if done {
		e.Log.Add(effect.ErasureEnded{Seq: seq})
	}
	// Also when nothing has changed: the mark notes how many recipients are done with.
	return done, e.store()
}

// eraseRecords brings deliveries of an event in line with its mark, until it has changed n or the
// time is up, and reports whether that were all. Then the mark is gone.
func (e *erasures) eraseRecords(seq uint64, n int, until int64) (done bool, err error) {
	m, err := e.Erasure(seq)
	if err != nil || m == nil {
		return true, err
	}
	keyHash, nums, err := e.events.recipients(seq)
	if err != nil { // nothing can be read of its deliveries either; Prune must not try for ever
		nums = nil
	}
	// Done counts recipients, so the next step does not look at them again. The list of an event
	// never changes.
	for seen, num := range nums[min(m.Done, len(nums)):] {
		// The clock is not read for each delivery: most of those of a wide event may be in line
		// already, and passing over one costs little.
		if n <= 0 || seen%64 == 63 && e.Settings.Now() > until {
			return false, nil
		}
		m.Done++
		// Its purge removes the records as they are.
		if !e.subs.Exists(num) {
			continue
		}
		changed, err := e.eraseDelivery(num, seq, keyHash)
		if err != nil {
			return false, err
		}
		if changed {
			n--
		}
	}
	// In the transaction of the last change: from here on the records alone say what the mark has
	// said.
	e.drop(seq)
	return true, nil
}

// eraseDelivery gives a delivery a record that is in line with the mark of its event. It reports
// whether it was not so yet.
func (e *erasures) eraseDelivery(num, seq, keyHash uint64) (changed bool, err error) {
	was, ok, err := e.pending.Find(num, seq, keyHash)
	switch {
	// It dies when it is claimed, so Claim must find it again.
	case err != nil && e.pending.Unreadable(num, seq):
		e.Log.Add(effect.RowUnreadable{Num: num, Seq: seq})
		return true, e.pending.Overrides.Remove(num, seq)
	case err != nil || !ok || !was.Outdated:
		return false, err
	}
	r := was
	if was.Marked {
		// It was pending, and Transition takes it out of the indexes and frees those behind it in
		// its key.
		r.Due, r.AtOnce, r.Blocked, r.Waits = 0, 0, false, false
	}
	return true, e.pending.Transition(pending.ID{Num: num, Seq: seq}, was, r, was.Marked)
}
