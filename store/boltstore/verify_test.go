package boltstore

import (
	"context"
	"errors"
	"fmt"
)

// Verify checks that the parts of the file agree with each other, and memory with the file. Nothing may be on its way.
func (s *Store) Verify() error {
	v := verifier{store: s, live: make(map[uint64]map[uint64]place), behind: make(map[uint64]int)}
	if err := s.read(context.Background(), v.file); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v.memory()
	return errors.Join(v.wrong...)
}

type verifier struct {
	store *Store
	wrong []error

	rows, chunked, fresh map[uint64][]uint64         // pending deliveries of each subscription
	live                 map[uint64]map[uint64]place // rows that are pending and not behind
	behind               map[uint64]int
	backlogs             map[uint64]*backlog
}

func (v *verifier) errorf(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Errorf(format, args...))
}

// file checks the file, and notes what is pending.
func (v *verifier) file(t *txn) error {
	v.rows, v.chunked, v.fresh = make(map[uint64][]uint64), make(map[uint64][]uint64), make(map[uint64][]uint64)
	v.backlogs = make(map[uint64]*backlog)
	targets := make(map[[2]uint64]bool)
	events := 0
	c := t.bucket(log).Cursor()
	for k, val := c.First(); k != nil; k, val = c.Next() {
		events++
		seq := number(k, 0)
		e, err := decodeEvent(k, val)
		if err != nil {
			return err
		}
		if len(e.body) > maxTailBody && seq > t.indexed() {
			v.errorf("event %d has a body of %d bytes and is not indexed", seq, len(e.body))
		}
		if id, err := t.eventNumber(e.id); err != nil || id != seq {
			v.errorf("event %d: its ID %q leads to %d, %v", seq, e.id, id, err)
		}
		packed, err := decodeTargets(k, val)
		if err != nil {
			return err
		}
		nums, err := unpackAll(packed)
		if err != nil {
			return err
		}
		for _, num := range nums {
			targets[[2]uint64{num, seq}] = true
			if t.alive(num) {
				v.delivery(t, num, seq, &e)
			}
		}
	}
	unindexed := t.unindexed()
	if n := t.bucket(eventIDs).Stats().KeyN; n+len(unindexed) != events || len(unindexed) > maxTail {
		v.errorf("%d events have %d IDs in the index and %d behind it", events, n, len(unindexed))
	}
	v.indexes(t, targets)
	v.bodies(t)
	v.counts(t)
	return nil
}

// delivery checks one delivery.
func (v *verifier) delivery(t *txn, num, seq uint64, e *event) {
	keyHash := e.keyHash()
	r, ok, err := t.find(num, seq, keyHash)
	if err != nil {
		v.errorf("delivery %d/%d: %v", num, seq, err)
	}
	if !ok {
		return
	}
	if e.erased() {
		v.erasure(num, seq, &r)
	}
	if key := key2(num, seq); r.overridden() && !v.has(t, bodies, key[:]) {
		v.errorf("delivery %d/%d lacks its body", num, seq)
	}
	if r.key != keyHash {
		v.errorf("delivery %d/%d has the key %x, its event %x", num, seq, r.key, keyHash)
	}
	if key := key3(num, keyHash, seq); keyHash != 0 && r.listed() != v.has(t, keyed, key[:]) {
		v.errorf("delivery %d/%d is pending: %v, and has a place in its key: %v", num, seq, r.listed(), !r.listed())
	}
	if key := key3(num, uint64(r.place(seq).Due), seq); r.stored && (r.listed() && !r.behind) != v.has(t, index, key[:]) {
		v.errorf("delivery %d/%d, %+v, is in the index: %v", num, seq, r, v.has(t, index, key[:]))
	}
	if !r.live() {
		return
	}
	if r.key != 0 {
		first, _, err := t.neighbour(num, r.key, 0, 0)
		if err != nil || r.behind != (first < seq) {
			v.errorf("delivery %d/%d is behind: %v, and %d is the first of its key, %v", num, seq, r.behind, first, err)
		}
	}
	chunked, err := t.chunked(num, seq)
	switch {
	case err != nil:
		v.errorf("delivery %d/%d: %v", num, seq, err)
	case r.stored:
		v.rows[num] = append(v.rows[num], seq)
		if r.behind {
			v.behind[num]++
			break
		}
		if v.live[num] == nil {
			v.live[num] = make(map[uint64]place)
		}
		v.live[num][seq] = r.place(seq)
	case chunked:
		v.chunked[num] = append(v.chunked[num], seq)
	default:
		v.fresh[num] = append(v.fresh[num], seq)
	}
}

func (v *verifier) has(t *txn, id bucketID, key []byte) bool {
	k, _ := t.bucket(id).Cursor().Seek(key)
	return string(k) == string(key)
}

// indexes checks that no index has what is not there, and the backlogs.
func (v *verifier) indexes(t *txn, targets map[[2]uint64]bool) {
	for _, id := range []bucketID{index, keyed} {
		c := t.bucket(id).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			num, seq := number(k, 0), number(k, 2)
			r, ok, err := t.find(num, seq, 0)
			if t.alive(num) && (err != nil || !ok || !r.listed() || !targets[[2]uint64{num, seq}]) {
				v.errorf("%s has %d/%d, which is %+v, %v, %v", bucketNames[id], num, seq, r, ok, err)
			}
		}
	}
	c := t.bucket(deliveries).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if num, seq := number(k, 0), number(k, 1); t.alive(num) && !targets[[2]uint64{num, seq}] {
			v.errorf("row %d/%d has no event", num, seq)
		}
	}
	c = t.bucket(backlogs).Cursor()
	for k, val := c.First(); k != nil; k, val = c.Next() {
		b, err := decodeBacklog(k, val)
		if err != nil {
			v.errorf("%v", err)
			continue
		}
		v.backlogs[number(k, 0)] = b
	}
	for num := range v.nums() {
		b := v.backlogs[num]
		if b == nil {
			b = &backlog{}
		}
		if got, want := b.pending, len(v.rows[num])+len(v.chunked[num]); got != want {
			v.errorf("subscription %d: its backlog has %d pending, the rows and chunks %d", num, got, want)
		}
		if len(v.chunked[num]) > 0 && !b.chunks {
			v.errorf("subscription %d: its backlog knows nothing of its chunks", num)
		}
	}
}

// nums returns all subscriptions that have something pending.
func (v *verifier) nums() map[uint64]bool {
	nums := make(map[uint64]bool)
	for num, b := range v.backlogs {
		nums[num] = !b.deleted
	}
	for _, m := range []map[uint64][]uint64{v.rows, v.chunked, v.fresh} {
		for num := range m {
			nums[num] = true
		}
	}
	return nums
}
