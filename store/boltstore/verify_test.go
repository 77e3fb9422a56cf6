package boltstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/order"
)

// Verify checks that the parts of the file agree with each other, and memory with the file. Nothing
// may be on its way.
func (s *Store) Verify() error {
	v := verifier{store: s, live: make(map[uint64]map[uint64]order.Position),
		behind: make(map[uint64]int)}
	if err := s.db.Read(context.Background(), v.file); err != nil {
		return err
	}
	s.db.Lock()
	defer s.db.Unlock()
	v.memory()
	return errors.Join(v.wrong...)
}

type verifier struct {
	store *Store
	wrong []error

	// pending deliveries of each subscription
	rows, chunked, fresh map[uint64][]uint64
	// rows that are pending and not behind
	live     map[uint64]map[uint64]order.Position
	behind   map[uint64]int
	backlogs map[uint64]*record.Backlog
}

func (v *verifier) errorf(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Errorf(format, args...))
}

// file checks the file, and notes what is pending.
func (v *verifier) file(t *txn.Tx) error {
	v.rows, v.chunked = make(map[uint64][]uint64), make(map[uint64][]uint64)
	v.fresh = make(map[uint64][]uint64)
	v.backlogs = make(map[uint64]*record.Backlog)
	targets := make(map[[2]uint64]bool)
	events := 0
	c := t.Bucket(buckets.Events).Cursor()
	for k, val := c.First(); k != nil; k, val = c.Next() {
		events++
		seq := record.KeyNumber(k, 0)
		e, err := record.DecodeEvent(k, val)
		if err != nil {
			return err
		}
		if len(e.Body) > buckets.MaxTailBody && seq > t.IDs.Indexed() {
			v.errorf("event %d has a body of %d bytes and is not indexed", seq, len(e.Body))
		}
		if id, err := t.IDs.Find(e.Tenant, e.ID); err != nil || id != seq {
			v.errorf("event %d: its ID %q leads to %d, %v", seq, e.ID, id, err)
		}
		packed, err := record.DecodeRecipients(k, val)
		if err != nil {
			return err
		}
		nums, err := record.UnpackAll(packed)
		if err != nil {
			return err
		}
		for _, num := range nums {
			targets[[2]uint64{num, seq}] = true
			if t.Subs.Exists(num) {
				v.delivery(t, num, seq, &e)
			}
		}
	}
	unindexed := t.IDs.Unindexed()
	if n := t.Bucket(buckets.EventIDs).Stats().KeyN; n+len(unindexed) != events ||
		len(unindexed) > buckets.MaxTail {
		v.errorf("%d events have %d IDs in the index and %d behind it", events, n, len(unindexed))
	}
	v.indexes(t, targets)
	v.bodies(t)
	v.counts(t)
	return nil
}

// delivery checks one delivery.
func (v *verifier) delivery(t *txn.Tx, num, seq uint64, e *record.Event) {
	keyHash := e.KeyHash()
	r, ok, err := t.Pending.Find(num, seq, keyHash)
	if err != nil {
		v.errorf("delivery %d/%d: %v", num, seq, err)
	}
	if !ok {
		return
	}
	if e.Erased() {
		v.erasure(num, seq, &r)
	}
	if key := record.Key2(num, seq); r.Overridden() && !v.has(t, buckets.Bodies, key[:]) {
		v.errorf("delivery %d/%d lacks its body", num, seq)
	}
	if r.KeyHash != keyHash {
		v.errorf("delivery %d/%d has the key %x, its event %x", num, seq, r.KeyHash, keyHash)
	}
	if key := record.Key3(num, keyHash, seq); keyHash != 0 &&
		r.Listed() != v.has(t, buckets.Keyed, key[:]) {
		v.errorf("delivery %d/%d is pending: %v, and has a place in its key: %v", num, seq,
			r.Listed(), !r.Listed())
	}
	if key := record.Key3(num, uint64(r.Position(seq).Due), seq); r.Stored &&
		(r.Listed() && !r.Blocked) != v.has(t, buckets.Due, key[:]) {
		v.errorf("delivery %d/%d, %+v, is in the index: %v", num, seq, r,
			v.has(t, buckets.Due, key[:]))
	}
	v.stateOf(t, num, seq, &r)
	if !r.Pending() {
		return
	}
	if r.KeyHash != 0 {
		first, _, err := t.Pending.FirstOfKey(num, r.KeyHash, 0, 0)
		if err != nil || r.Blocked != (first < seq) {
			v.errorf("delivery %d/%d is behind: %v, and %d is the first of its key, %v", num, seq,
				r.Blocked, first, err)
		}
	}
	chunked, err := t.Pending.Packed(num, seq)
	switch {
	case err != nil:
		v.errorf("delivery %d/%d: %v", num, seq, err)
	case r.Stored:
		v.rows[num] = append(v.rows[num], seq)
		if r.Blocked {
			v.behind[num]++
			break
		}
		if v.live[num] == nil {
			v.live[num] = make(map[uint64]order.Position)
		}
		v.live[num][seq] = r.Position(seq)
	case chunked:
		v.chunked[num] = append(v.chunked[num], seq)
	default:
		v.fresh[num] = append(v.fresh[num], seq)
	}
}

// stateOf checks where the index of states has a delivery: under the state that its row says,
// unless that is delivered.
func (v *verifier) stateOf(t *txn.Tx, num, seq uint64, r *pending.Delivery) {
	for _, state := range store.States() {
		key := pending.StateKey(num, state, seq)
		want := state == r.RowState() && state != store.Delivered
		if got := v.has(t, buckets.States, key[:]); got != want {
			v.errorf("delivery %d/%d, %s in its row, is in the index as %s: %v", num, seq,
				r.RowState(), state, got)
		}
	}
}

func (v *verifier) has(t *txn.Tx, id buckets.Bucket, key []byte) bool {
	k, _ := t.Bucket(id).Cursor().Seek(key)
	return string(k) == string(key)
}

// indexes checks that no index has what is not there, and the backlogs.
func (v *verifier) indexes(t *txn.Tx, targets map[[2]uint64]bool) {
	for _, id := range []buckets.Bucket{buckets.Due, buckets.Keyed} {
		c := t.Bucket(id).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			num, seq := record.KeyNumber(k, 0), record.KeyNumber(k, 2)
			r, ok, err := t.Pending.Find(num, seq, 0)
			if t.Subs.Exists(num) && (err != nil || !ok || !r.Listed() ||
				!targets[[2]uint64{num, seq}]) {
				v.errorf("%s has %d/%d, which is %+v, %v, %v", buckets.Names[id], num, seq, r, ok,
					err)
			}
		}
	}
	c := t.Bucket(buckets.States).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		num, seq := record.KeyNumber(k, 0), record.KeyNumber(k, 2)
		r, ok, err := t.Pending.Row(pending.ID{Num: num, Seq: seq})
		if t.Subs.Exists(num) && (err != nil || !ok ||
			record.KeyNumber(k, 1) != record.StateCode(r.State)) {
			v.errorf("the index of states has %x, which is %+v, %v, %v", k, r, ok, err)
		}
	}
	c = t.Bucket(buckets.Rows).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if num, seq := record.KeyNumber(k, 0), record.KeyNumber(k, 1); t.Subs.Exists(num) &&
			!targets[[2]uint64{num, seq}] {
			v.errorf("row %d/%d has no event", num, seq)
		}
	}
	c = t.Bucket(buckets.Backlogs).Cursor()
	for k, val := c.First(); k != nil; k, val = c.Next() {
		b, err := record.DecodeBacklog(k, val)
		if err != nil {
			v.errorf("%v", err)
			continue
		}
		v.backlogs[record.KeyNumber(k, 0)] = b
	}
	for num := range v.nums() {
		b := v.backlogs[num]
		if b == nil {
			b = &record.Backlog{}
		}
		if got, want := b.Pending, len(v.rows[num])+len(v.chunked[num]); got != want {
			v.errorf("subscription %d: its backlog has %d pending, the rows and chunks %d", num,
				got, want)
		}
		if len(v.chunked[num]) > 0 && !b.Chunks {
			v.errorf("subscription %d: its backlog knows nothing of its chunks", num)
		}
	}
}

// nums returns all subscriptions that have something pending.
func (v *verifier) nums() map[uint64]bool {
	nums := make(map[uint64]bool)
	for num, b := range v.backlogs {
		nums[num] = !b.Deleted
	}
	for _, m := range []map[uint64][]uint64{v.rows, v.chunked, v.fresh} {
		for num := range m {
			nums[num] = true
		}
	}
	return nums
}
