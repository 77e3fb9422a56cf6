package boltstore

import (
	"github.com/outhook/outhook/store/boltstore/internal/effect"

	bolt "go.etcd.io/bbolt"
)

// unapplied has the effects of a transaction that memory does not know to have committed.
//
// Memory must learn it in the order of the transactions, because some of it says how things are,
// not how they changed. But the one that commits learns of it only when the file's write lock is
// free again, and the host may have begun, and even committed, the next transaction by then. And
// nobody tells of the rollback of a transaction of the host. So the effects wait in
// Store.unapplied, and the next transaction that writes applies them: it has the write lock, so
// each former transaction has ended, and since only a commit takes a transaction's number, it has
// committed if its number is lower than the present one.
type unapplied struct {
	tx      *bolt.Tx
	id      int
	effects []effect.Effect
}

// expect notes the effects of a transaction that is about to commit or may do so.
func (s *Store) expect(tx *bolt.Tx, list []effect.Effect) *unapplied {
	e := &unapplied{tx, tx.ID(), list}
	s.mu.Lock()
	defer s.unlock()
	s.unapplied = append(s.unapplied, e)
	return e
}

// adopt applies what former transactions have left, at the beginning of one that writes.
func (s *Store) adopt(tx *bolt.Tx) {
	s.mu.Lock()
	defer s.unlock()
	s.apply(tx, tx.ID())
}

// committed applies the effects of a transaction that has committed, after those of the ones before
// it, unless a later transaction has done so. Store.mu must be held.
func (s *Store) committed(e *unapplied) {
	for _, u := range s.unapplied {
		if u == e {
			s.apply(nil, e.id+1)
			return
		}
	}
}

// apply applies the effects of all transactions below id. Those from id on stay, but for those that
// have the number of a transaction that is open, which have been rolled back. Store.mu must be
// held.
func (s *Store) apply(open *bolt.Tx, id int) {
	rest := s.unapplied[:0] // no effect changes the list
	for _, u := range s.unapplied {
		switch {
		case u.id < id:
			for _, e := range u.effects {
				s.memory.Apply(e)
			}
		case open == nil || u.tx == open:
			rest = append(rest, u)
		}
	}
	clear(s.unapplied[len(rest):])
	s.unapplied = rest
}

// forget drops the effects of a transaction that has not committed.
func (s *Store) forget(e *unapplied) {
	s.mu.Lock()
	defer s.unlock()
	for i, u := range s.unapplied {
		if u == e {
			s.unapplied = append(s.unapplied[:i], s.unapplied[i+1:]...)
			return
		}
	}
}
