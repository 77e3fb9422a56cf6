package pgstore

import "sync"

// waker wakes who waits for work: the reader of Ready here, and, soon after, those of other replicas.
type waker struct {
	once  sync.Once     // starts what wakes
	ready chan struct{} // one slot: see Ready
	tell  chan struct{} // one slot: the other replicas are to be told
}

// wake says that there may be something new to claim, here and in the other replicas.
func (w *waker) wake() {
	w.wakeHere()
	fill(w.tell)
}

// wakeHere says it here only.
func (w *waker) wakeHere() { fill(w.ready) }

func fill(slot chan struct{}) {
	select {
	case slot <- struct{}{}:
	default:
	}
}
