package pgstore

import "sync"

// waker wakes who waits for work: the reader of Ready here, and who takes notices in other
// replicas.
type waker struct {
	once  sync.Once     // starts what wakes
	ready chan struct{} // one slot: see Ready
	tell  chan struct{} // one slot: the other replicas are to be told
	told  chan struct{} // one slot: somebody has said that there are notices
}

// wakeHere says that there may be something new to claim.
func (w *waker) wakeHere() { fill(w.ready) }

func fill(slot chan struct{}) {
	select {
	case slot <- struct{}{}:
	default:
	}
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} {
	s.listen()
	return s.waker.ready
}
