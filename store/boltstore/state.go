package boltstore

import (
	"sync"

	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/memory"

	bolt "go.etcd.io/bbolt"
)

// state is what the store knows besides its file, behind the store's one mutex. The mutex is never
// held over a commit, nor while a transaction begins or ends: all of them can wait for the host.
type state struct {
	ready chan struct{} // has one slot, see [Store.Ready]

	mu     sync.Mutex
	memory memory.Memory // what is pending and leased
	// Of transactions that memory does not know to have committed, in their order.
	unapplied []*unapplied
}

// Lock locks the mutex.
func (s *state) Lock() { s.mu.Lock() }

// Unlock unlocks the mutex. If something may have become claimable, it fills the slot of Ready.
func (s *state) Unlock() {
	wake := s.memory.Schedule.TakeWake()
	s.mu.Unlock()
	if wake {
		s.wake()
	}
}

// wake fills the slot of Ready.
func (s *state) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// unapplied has the effects of a transaction that memory does not know to have committed.
//
// Memory must learn it in the order of the transactions, because some of it says how things are,
// not how they changed. But the one that commits learns of it only when the file's write lock is
// free again, and the host may have begun, and even committed, the next transaction by then. And
// nobody tells of the rollback of a transaction of the host. So the effects wait in
// state.unapplied, and the next transaction that writes applies them: it has the write lock, so
// each former transaction has ended, and since only a commit takes a transaction's number, it has
// committed if its number is lower than the present one.
type unapplied struct {
	tx      *bolt.Tx
	id      int
	effects []effect.Effect
}

// expect notes the effects of a transaction that is about to commit or may do so.
func (s *state) expect(tx *bolt.Tx, list []effect.Effect) *unapplied {
	e := &unapplied{tx, tx.ID(), list}
	s.Lock()
	defer s.Unlock()
	s.unapplied = append(s.unapplied, e)
	return e
}

// adopt applies what former transactions have left, at the beginning of one that writes.
func (s *state) adopt(tx *bolt.Tx) {
	s.Lock()
	defer s.Unlock()
	s.apply(tx, tx.ID())
}

// committed applies the effects of a transaction that has committed, after those of the ones before
// it, unless a later transaction has done so. The mutex must be held.
func (s *state) committed(e *unapplied) {
	for _, u := range s.unapplied {
		if u == e {
			s.apply(nil, e.id+1)
			return
		}
	}
}

// apply applies the effects of all transactions below id. Those from id on stay, but for those that
// have the number of a transaction that is open, which have been rolled back. The mutex must be
// held.
func (s *state) apply(open *bolt.Tx, id int) {
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
func (s *state) forget(e *unapplied) {
	s.Lock()
	defer s.Unlock()
	for i, u := range s.unapplied {
		if u == e {
			s.unapplied = append(s.unapplied[:i], s.unapplied[i+1:]...)
			return
		}
	}
}
