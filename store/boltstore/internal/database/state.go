package database

import (
	"sync"

	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/memory"

	bolt "go.etcd.io/bbolt"
)

// state is what the store knows besides its file, behind the store's one mutex. The mutex is never
// held over a commit, nor while a transaction begins or ends: all of them can wait for the host.
type state struct {
	ready chan struct{} // has one slot, see Ready

	mu     sync.Mutex
	Memory memory.Memory // what is pending and leased
	// Of transactions that memory does not know to have committed, in their order.
	unapplied []*unapplied
}

// Lock locks the mutex.
func (s *state) Lock() { s.mu.Lock() }

// Unlock unlocks the mutex. If something may have become claimable, it fills the slot of Ready.
// After the unlock, so that whom it wakes does not wait for the mutex.
func (s *state) Unlock() {
	wake := s.Memory.Schedule.TakeWake()
	s.mu.Unlock()
	if wake {
		s.wake()
	}
}

// Ready returns the channel whose slot is filled when something may have become claimable.
func (s *state) Ready() <-chan struct{} { return s.ready }

// wake fills the slot of Ready. It never blocks: if the slot is full, its next reader will
// ask for all that there is.
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
// state.unapplied, and the next transaction that writes applies them. It has the write lock, so
// each former transaction has ended. Only a commit uses a transaction's number up, so a former one
// has committed if its number is lower than the present one.
type unapplied struct {
	tx      *bolt.Tx        // tells it from a later one of the same number, see apply
	id      int             // bbolt's number; that of one that was rolled back is given again
	effects []effect.Effect // in the order in which memory must learn them
}

// expect notes the effects of a transaction that is about to commit or may do so. It must be called
// before the commit, with the file's write lock held, so that the list is in the order of the
// transactions.
func (s *state) expect(tx *bolt.Tx, list []effect.Effect) *unapplied {
	e := &unapplied{tx, tx.ID(), list}
	s.Lock()
	defer s.Unlock()
	s.unapplied = append(s.unapplied, e)
	return e
}

// adopt applies what former transactions have left, at the beginning of one that writes. It must
// come before what plans with memory.
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
				s.Memory.Apply(e)
			}
		case open == nil || u.tx == open:
			rest = append(rest, u)
		}
	}
	// The list keeps its memory, and would keep the effects, with the bodies of their events, too.
	clear(s.unapplied[len(rest):])
	s.unapplied = rest
}

// forget drops the effects of a transaction that has not committed. e may be nil, and may have been
// dropped already.
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
