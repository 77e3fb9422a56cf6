package boltstore

import (
	"context"

	"github.com/outhook/outhook/store"
)

// bury makes deliveries dead whose record can't be read. Their leases are sealed.
func (s *Store) bury(ctx context.Context, damaged []*lease) error {
	if len(damaged) == 0 {
		return nil
	}
	return s.submit(ctx, &op{
		run: func(t *txn) error {
			for _, l := range damaged {
				if err := t.bury(l.Sub.Num, l.Seq, l.Position().Due); err != nil {
					return err
				}
			}
			return nil
		},
		ended: func(err error) {
			for _, l := range damaged {
				if err != nil {
					s.schedule.Release(l, s.now())
				}
			}
		},
	})
}

// damage is what a delivery says that died because its record can't be read.
const damage = "the stored record is damaged"

// bury makes a delivery dead that may be damaged in any of its parts.
func (t *txn) bury(num, seq uint64, due int64) error {
	if !t.alive(num) {
		return nil
	}
	keyHash, err := t.keyHashOf(num, seq)
	if err != nil {
		return err
	}
	was, ok, err := t.find(num, seq, keyHash)
	if err != nil { // the row itself; it may be in the index in two places, and have a body of its own
		was, ok = row{state: store.Pending, stamp: seq, key: keyHash, stored: true}, true
		key := key3(num, uint64(due), seq)
		if err := t.remove(index, key[:]); err != nil {
			return err
		}
		if err := t.removeOverride(num, seq); err != nil {
			return err
		}
	}
	if !ok || !was.live() {
		return nil
	}
	r := was
	r.state, r.finished, r.reason = store.Dead, t.now, damage
	return t.transition(num, seq, was, r, true)
}

// keyHashOf finds the hash of a delivery's ordering key without reading the event; 0 when it has none.
func (t *txn) keyHashOf(num, seq uint64) (uint64, error) {
	c := t.bucket(keyed).Cursor()
	start := key1(num)
	for k, _ := c.Seek(start[:]); inSubscription(k, num); k, _ = c.Next() {
		if number(k, 2) == seq {
			return number(k, 1), nil
		}
	}
	return 0, nil
}
