package check

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
)

// Setup is how a store is opened for a test and what it can do.
type Setup struct {
	Open   func(t *testing.T) store.Store
	Reopen func(t *testing.T, s store.Store) store.Store // nil if the store can't be reopened
	// nil if it has no host transactions
	Begin func(t *testing.T, s store.Store) HostTx

	Exclusive bool          // other writers wait while such a transaction is open
	Seals     bool          // SealedWith is the store's own
	Shards    bool          // the store is several, to which tenants are dealt
	RealTime  bool          // the store's clock is not this process's
	Bound     time.Duration // how long one call may take

	Bite func(hang string) // what happens to a call that hangs; if nil, the process ends
}

// Violations tests the rule and returns what it saw broken.
func (s Setup) Violations(t *testing.T, r Rule) []string {
	s.RealTime = s.RealTime || r.RealTime
	return s.Run(t, "rule "+r.Name+" ("+r.Sentence+")", r.Test)
}

// Run runs a test on a new store, in the time that the store needs, and returns what it saw broken.
// Each call of the store is watched; what names the test if one hangs.
func (s Setup) Run(t *testing.T, what string, test func(c *Driver)) (violated []string) {
	// Outside of the bubble, in which time stands still while a call computes.
	dog := startWatchdog(what, s.Bound, s.Bite)
	defer dog.end()
	inTime := synctest.Test
	if s.RealTime {
		inTime = func(t *testing.T, f func(*testing.T)) { f(t) }
	}
	inTime(t, func(t *testing.T) {
		c := s.open(t, dog)
		c.run(func() { test(c) })
		violated = c.Violations()
	})
	return violated
}

// open opens a store and watches each of its calls.
func (s Setup) open(t *testing.T, dog *watchdog) *Driver {
	c := NewDriver(nil, s.RealTime)
	var inner store.Store
	use := func(st store.Store) {
		inner = st
		c.Store = &watched{Store: st, dog: dog, check: c.Check}
		t.Cleanup(func() { CloseStore(st) })
	}
	use(s.Open(t))
	c.Bound, c.Seals, c.Shards = s.Bound, s.Seals, s.Shards
	c.Close = func() bool {
		defer dog.call("Close")()
		return CloseStore(inner)
	}
	if s.Reopen != nil {
		c.Reopen = func() {
			returned := dog.call("reopening")
			st := s.Reopen(t, inner)
			returned()
			use(st)
		}
	}
	if s.Begin != nil {
		c.Hosted = &Hosted{func() HostTx { return s.Begin(t, inner) }, s.Exclusive}
	}
	return c
}

// CloseStore closes the store if it has a Close method, and reports whether it has one.
func CloseStore(s store.Store) bool {
	switch s := s.(type) {
	case interface{ Close() error }:
		_ = s.Close() // what matters was tested; at cleanup it may be closed already
	case interface{ Close() }:
		s.Close()
	default:
		return false
	}
	return true
}
