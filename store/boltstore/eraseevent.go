package boltstore

// erase erases events, and returns how many were not before, and which of them have a mark: their
// erasure has to be finished.
func (t *txn) erase(seqs []uint64) (n int, marked []uint64, err error) {
	until := t.store.now() + eraseTime
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

// eraseEvent erases an event, if it is there and was not before. It takes the first step at once: an
// event that few want needs no other, and no mark in the file. It is done if nothing is left to do.
func (t *txn) eraseEvent(seq uint64, until int64) (erased, done bool, err error) {
	key := key1(seq)
	v := t.get(log, key[:])
	if v == nil {
		return false, true, nil
	}
	e, err := decodeEvent(key[:], v)
	if err != nil {
		return false, false, err
	}
	if e.erased() {
		m, err := t.erasure(seq)
		return false, m == nil, err
	}
	packed, err := decodeTargets(key[:], v)
	if err != nil {
		return false, false, err
	}
	e.body, e.trace = nil, ""
	record := e.encode(key[:], packed) // before anything is written: packed is the file's memory
	all, err := t.erasures()
	if err != nil {
		return false, false, err
	}
	stamp, err := t.nextSeq()
	if err != nil {
		return false, false, err
	}
	if err := t.put(log, key[:], record); err != nil {
		return false, false, err
	}
	t.erasing.all = append(all, erasure{seq: seq, stamp: stamp, at: t.now})
	t.after(func() { t.store.recent.remove(seq) })
	if done, err = t.eraseRecords(seq, t.store.eraseStep, until); err != nil || done {
		return err == nil, done, err
	}
	t.after(func() { t.store.markErased(seq) })
	return true, false, t.storeErasures()
}

// eraseDelivery gives a delivery a record that is in line with the mark of its event. It reports
// whether it was not so yet.
func (t *txn) eraseDelivery(num, seq, keyHash uint64) (changed bool, err error) {
	was, ok, err := t.find(num, seq, keyHash)
	switch {
	case err != nil && t.unreadable(num, seq): // it dies when it is claimed, so Claim must find it again
		t.after(func() { t.store.reloadAfter(seq, num) })
		return true, t.removeOverride(num, seq)
	case err != nil || !ok || !was.outdated:
		return false, err
	}
	r := was
	if was.marked {
		r.due, r.behind = 0, false
	}
	return true, t.transition(num, seq, was, r, was.marked)
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
