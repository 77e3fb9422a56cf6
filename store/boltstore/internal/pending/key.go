package pending

import "github.com/outhook/outhook/store/boltstore/internal/record"

// Deliveries of one subscription whose events share an ordering key go one after another. Keyed
// lists all that are pending, with a row or without. The first can be claimed; the others are
// blocked, and each of those has a row that says so.

// AddKeyed lists a pending delivery of a new event under its ordering key, and reports whether an
// earlier one blocks it. Then the caller has to create a row for it.
func (s *Set) AddKeyed(id ID, keyHash uint64) (blocked bool, err error) {
	// An earlier one that is implicit or in a chunk blocks as well: Keyed has those too.
	_, earlier, err := s.FirstOfKey(id.Num, keyHash, 0, id.Seq)
	if err != nil {
		return false, err
	}
	key := record.Key3(id.Num, keyHash, id.Seq)
	return earlier != nil, s.put(Keyed, key[:], nil)
}

// unblockFirst lets the first pending delivery of a key be claimed.
func (s *Set) unblockFirst(num, keyHash uint64) error {
	seq, d, err := s.FirstOfKey(num, keyHash, 0, 0)
	if err != nil || d == nil || !d.Blocked {
		return err
	}
	next := *d
	next.Blocked = false
	return s.write(ID{num, seq}, *d, next, false)
}

// blockNext blocks the pending delivery that comes next in a key. If it is leased it stays so: its
// attempt is under way, and order can't be kept any more for it.
func (s *Set) blockNext(id ID, keyHash uint64) error {
	seq, d, err := s.FirstOfKey(id.Num, keyHash, id.Seq+1, 0)
	if err != nil || d == nil || d.Blocked {
		return err
	}
	next := *d
	next.Blocked = true
	return s.write(ID{id.Num, seq}, *d, next, false)
}

// FirstOfKey returns the first pending delivery of a key from event from on and, unless before is
// 0, below before; nil if there is none. It passes over those that a mark has canceled.
func (s *Set) FirstOfKey(num, keyHash, from, before uint64) (seq uint64, d *Delivery, err error) {
	c := s.buckets.Cursor(Keyed)
	start := record.Key3(num, keyHash, from)
	for k, _ := s.seek(c, start[:]); ofKey(k, start[:]); k, _ = c.Next() {
		seq := record.KeyNumber(k, 2)
		if before != 0 && seq >= before {
			break
		}
		// One that a mark has canceled stays listed until a purge has written its row.
		found, ok, err := s.Find(num, seq, keyHash)
		if err != nil {
			return 0, nil, err
		}
		if ok && found.Pending() {
			return seq, &found, nil
		}
	}
	return 0, nil, nil
}

// ofKey reports whether a key of Keyed is of the subscription and ordering key of another.
func ofKey(k, of []byte) bool {
	return k != nil && string(k[:record.Len2]) == string(of[:record.Len2])
}

// KeyHash finds the hash of a delivery's ordering key without reading its event; 0 if it has none.
// It reads all of the subscription's keys, so it is for what can't be read otherwise.
func (s *Set) KeyHash(id ID) uint64 {
	c := s.buckets.Cursor(Keyed)
	start := record.Key1(id.Num)
	for k, _ := s.seek(c, start[:]); record.InSubscription(k, id.Num); k, _ = c.Next() {
		if record.KeyNumber(k, 2) == id.Seq {
			return record.KeyNumber(k, 1)
		}
	}
	return 0
}
