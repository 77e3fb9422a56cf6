package boltstore

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/outhook/outhook/store"
)

// An event that many want is erased in two parts. One short transaction removes what the event
// carried and writes a mark, which makes all its deliveries erased: every reader applies it
// (txn.find). Then small steps bring the records of the deliveries in line with it, a few in each
// transaction, so that those who publish meanwhile wait for no more than one step. Erase takes all
// steps before it returns. If it can't, because its context ends or the process dies, Prune takes
// the rest; the mark is in the file.
//
// Until its step, a delivery that was pending stays in the counts of pending deliveries, in the
// indexes and in memory, where Claim passes it over, and those behind it in its key stay behind.

// erasure is the mark of an event that is being erased.
type erasure struct {
	seq   uint64 // the event
	stamp uint64 // taken from the events when it was erased, to tell what came first: it or a mark
	at    int64
	done  int // how many of the event's subscriptions have been seen to
}

// The bounds of a step.
const (
	defaultEraseStep = 500 // deliveries that it changes
	eraseTime        = 2 * sliceTime
)

// erasures returns the marks, in no order. They are few: there is one for each wide event whose Erase
// is under way, or was cut off since Prune ran last.
func (t *txn) erasures() ([]erasure, error) {
	if t.erasing.read {
		return t.erasing.all, nil
	}
	key := []byte(metaErasures)
	v := t.get(meta, key)
	if v != nil {
		d, err := unseal(key, v)
		if err != nil {
			return nil, err
		}
		for range d.count() {
			t.erasing.all = append(t.erasing.all, erasure{d.uint(), d.uint(), d.int(), int(d.uint())})
		}
		if err := d.end(); err != nil {
			return nil, err
		}
	}
	t.erasing.read = true
	return t.erasing.all, nil
}

// erasure returns the mark of an event; nil if it has none.
func (t *txn) erasure(seq uint64) (*erasure, error) {
	all, err := t.erasures()
	for i := range all {
		if all[i].seq == seq {
			return &all[i], err
		}
	}
	return nil, err
}

// storeErasures puts the marks of this transaction into the file.
func (t *txn) storeErasures() error {
	key := []byte(metaErasures)
	return t.putOrRemove(meta, key, len(t.erasing.all) == 0, func(key []byte) []byte {
		e := newEncoder(binary.MaxVarintLen64)
		e.uint(uint64(len(t.erasing.all)))
		for _, m := range t.erasing.all {
			e.uint(m.seq)
			e.uint(m.stamp)
			e.int(m.at)
			e.uint(uint64(m.done))
		}
		return e.seal(key)
	})
}

// eraseRecords brings deliveries of an event in line with its mark, until it has changed n or the
// time is up, and reports whether that were all. Then the mark is gone.
func (t *txn) eraseRecords(seq uint64, n int, until int64) (done bool, err error) {
	m, err := t.erasure(seq)
	if err != nil || m == nil {
		return true, err
	}
	keyHash, nums, err := t.targets(seq)
	if err != nil { // nothing can be read of its deliveries either; Prune must not try for ever
		nums = nil
	}
	for seen, num := range nums[min(m.done, len(nums)):] {
		if n <= 0 || seen%64 == 63 && t.store.now() > until {
			return false, nil
		}
		m.done++
		if !t.alive(num) {
			continue
		}
		changed, err := t.eraseDelivery(num, seq, keyHash)
		if err != nil {
			return false, err
		}
		if changed {
			n--
		}
	}
	t.erasing.all = slices.DeleteFunc(t.erasing.all, func(m erasure) bool { return m.seq == seq })
	return true, nil
}

// targets returns whom an event is for, and the hash of its key. An event that is gone is for nobody.
// The numbers are a copy: writing may move the file's memory.
func (t *txn) targets(seq uint64) (keyHash uint64, nums []uint64, err error) {
	key := key1(seq)
	v := t.get(log, key[:])
	if v == nil {
		return 0, nil, nil
	}
	e, err := decodeEvent(key[:], v)
	if err != nil {
		return 0, nil, err
	}
	packed, err := decodeTargets(key[:], v)
	if err != nil {
		return 0, nil, err
	}
	nums, err = unpackAll(packed)
	return e.keyHash(), nums, err
}

// applyErasure makes a delivery what the mark of its event says, if the event has one. The marks of
// the subscription have been applied.
func (t *txn) applyErasure(num, seq uint64, r *row) error {
	m, err := t.erasure(seq)
	if err != nil || m == nil {
		return err
	}
	without, err := withoutResponses(r)
	if err != nil {
		return err
	}
	r.outdated = r.overridden() || len(without) != len(r.log)
	r.body, r.log = store.BodyUndecided, without
	if !r.listed() {
		return nil
	}
	b, err := t.backlog(num)
	if err != nil {
		return err
	}
	earlier := canceled(b.marks, r.stamp)
	r.counted = earlier == nil
	if earlier == nil || m.stamp < earlier.seq { // or else it was canceled when the event was erased
		r.state, r.finished, r.reason = store.Canceled, m.at, eraseReason
	}
	r.marked, r.outdated = true, true
	return nil
}

// erasing is what memory knows of an event that has a mark.
type erasing struct {
	underWay bool     // an Erase is at it
	reload   []uint64 // subscriptions with a row that can't be read, see reloadAfter
}

// markErased takes the mark of an event into memory. An Erase is at it.
func (s *Store) markErased(seq uint64) {
	if s.erasing == nil {
		s.erasing = make(map[uint64]*erasing)
	}
	s.erasing[seq] = &erasing{underWay: true}
	s.schedule.Bar(seq, s.now())
}

// unmarkErased takes in that the mark is gone.
func (s *Store) unmarkErased(seq uint64) {
	if e := s.erasing[seq]; e != nil {
		delete(s.erasing, seq)
		s.schedule.Unbar(seq)
		for _, num := range e.reload {
			s.reloadAfter(seq, num)
		}
	}
}

// reloadAfter makes Claim read again, once the event has no mark any more, which deliveries of a
// subscription have a row.
func (s *Store) reloadAfter(seq, num uint64) {
	if e := s.erasing[seq]; e != nil {
		e.reload = append(e.reload, num)
		return
	}
	if q := s.schedule.Sub(num); q != nil {
		s.schedule.ReloadRecorded(q, s.now())
	}
}

// firstErasing returns the lowest event that has a mark; a number above all if none has.
func (s *Store) firstErasing() uint64 {
	first := uint64(math.MaxUint64)
	for seq := range s.erasing {
		first = min(first, seq)
	}
	return first
}

// finishErasure takes the steps of an erasure until the last.
func (s *Store) finishErasure(ctx context.Context, seq uint64) (err error) {
	for done := false; !done && err == nil; {
		if err = s.check(ctx); err == nil {
			done, err = s.stepErasure(ctx, seq)
		}
	}
	if err != nil { // it is left to Prune
		s.mu.Lock()
		defer s.mu.Unlock()
		if e := s.erasing[seq]; e != nil {
			e.underWay = false
		}
	}
	return err
}

// stepErasure takes one step of an erasure. It is done if that was the last, or if there is none.
func (s *Store) stepErasure(ctx context.Context, seq uint64) (done bool, err error) {
	err = s.submit(ctx, &op{run: func(t *txn) error {
		if m, err := t.erasure(seq); err != nil || m == nil { // another call has taken the last
			done = true
			return err
		}
		all, err := t.eraseRecords(seq, s.eraseStep, t.store.now()+eraseTime)
		if err != nil {
			return err
		}
		if done = all; done {
			t.after(func() { t.store.unmarkErased(seq) })
		}
		return t.storeErasures()
	}})
	return done, err
}

// resumeErasure takes a step of an erasure that was cut off. It reports whether there was one.
func (s *Store) resumeErasure(ctx context.Context) (more bool, err error) {
	seq := uint64(0)
	s.mu.Lock()
	for other, e := range s.erasing {
		if !e.underWay {
			seq = other
		}
	}
	s.mu.Unlock()
	if seq == 0 {
		return false, nil
	}
	_, err = s.stepErasure(ctx, seq)
	return true, err
}

// resumeErasures finishes all erasures that were cut off.
func (s *Store) resumeErasures(ctx context.Context) error {
	for more := true; more; {
		if err := s.check(ctx); err != nil {
			return err
		}
		var err error
		if more, err = s.resumeErasure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// restoreErasures takes the marks of the file into memory.
func (s *Store) restoreErasures(t *txn) error {
	all, err := t.erasures()
	if err == nil && len(all) > 0 {
		s.erasing = make(map[uint64]*erasing, len(all))
		for _, m := range all {
			s.erasing[m.seq] = new(erasing)
			s.schedule.Bar(m.seq, t.now)
		}
	}
	return err
}
