package dispatcher

// The slots are what bounds Run: one for each claim whose attempt has not ended, Options.Concurrency in all.

// free returns how many slots are free, and notes when none is, so that release wakes claimUntil.
func (r *run) free() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = r.busy == r.o.Concurrency
	return r.o.Concurrency - r.busy
}

func (r *run) take(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy += n
}

func (r *run) release(n int) {
	r.mu.Lock()
	r.busy -= n
	waited := r.full
	r.full = false
	r.mu.Unlock()
	if waited {
		r.roomMade()
	}
}

// roomMade has claimUntil look again.
func (r *run) roomMade() {
	select {
	case r.freed <- struct{}{}:
	default:
	}
}
