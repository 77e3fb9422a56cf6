package ownership

import (
	"sync"
	"time"
)

const (
	// LeaseTime is how long a replica's shares are its own after it has renewed its lease, by the
	// server's clock; renewEvery is how often it renews, and renewMargin how much earlier, by its
	// own clock, it stops to claim.
	LeaseTime   = 4 * time.Second
	renewEvery  = time.Second
	renewMargin = 500 * time.Millisecond
)

// lease is the replica's lease as the replica knows it. It is safe for concurrent use. It is what
// the replica may rely on, and so never longer than what the server has.
type lease struct {
	mu         sync.Mutex // guards all below
	joined     bool       // the replica takes part
	validUntil time.Time
	lastClaim  time.Time
}

// isValid reports whether the replica may claim: the lease has not run out, by its own clock. After
// it has run out others may own the shares, but need not: only Renew says.
func (l *lease) isValid() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.validUntil)
}

// renewed notes a renewal that was sent at a time. The server may have received it at once, or just
// before it answered: only the earlier of these is safe.
func (l *lease) renewed(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.validUntil = sent.Add(LeaseTime - renewMargin)
}

// end makes the lease invalid. It is for a replica that gives up its shares: none is claimed of
// from then on.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.validUntil = time.Time{}
}

// claim notes that the replica claims, and so takes part. It reports whether it did before. One
// critical section, so that of two first claims one joins.
func (l *lease) claim() (joined bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	joined = l.joined
	l.joined, l.lastClaim = true, time.Now()
	return joined
}

// leave notes that the replica takes part no more, until it claims again.
func (l *lease) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.joined = false
}

// state reports whether the replica takes part, and for how long it has not claimed.
func (l *lease) state() (joined bool, idle time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.joined, time.Since(l.lastClaim)
}
