package storetest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
)

// Run tests a store against the contract of package store. open returns a new, empty store; Run closes it when it has a
// Close method, with or without an error as its result. It is called once for each rule, inside a bubble of
// testing/synctest, so the store's clock must be time.Now and its goroutines must end with Close. For any other store,
// and for more than this, see [Suite].
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	Suite{Open: open}.Run(t)
}

// Suite is the conformance suite with its settings. Only Open is needed.
type Suite struct {
	// Open returns a new, empty store.
	Open func(t *testing.T) store.Store

	// Reopen ends s as a restart of the host would, and returns a store on what it kept. If nil, nothing is tested
	// that needs it, as there is nothing that a store in memory keeps.
	Reopen func(t *testing.T, s store.Store) store.Store

	// Begin begins a transaction of the host's in which s enqueues. If nil, nothing is tested that needs it.
	Begin func(t *testing.T, s store.Store) HostTx

	// Exclusive says that every other call that writes waits while such a transaction is open. Calls that read, and
	// Claim, must not.
	Exclusive bool

	// Bound is how long one call may take, whatever the state of the store: one that takes longer ends the process, with
	// what every goroutine is at. If zero, DefaultBound.
	Bound time.Duration

	// Seals says that the store encrypts what subscriptions keep secret, as package sealed does:
	// Subscription.SealedWith is then its own to set.
	Seals bool

	// RealTime is for a store whose clock is not this process's, because it is in a server: rules then wait for real
	// time to pass, some tenths of a second each, and those that need days are skipped. That clock may be wrong by
	// some seconds and must keep the pace.
	RealTime bool

	// Seeds is how many sequences of random operations are compared with memstore. If zero, DefaultSeeds.
	Seeds int

	// Steps is how many operations there are in each. If zero, DefaultSteps.
	Steps int

	bite func(hang string) // what happens to a call that hangs; if nil, kill
}

// The defaults of a [Suite].
const (
	DefaultSeeds = 20
	DefaultSteps = 150
)

// Run runs the whole suite.
func (s Suite) Run(t *testing.T) {
	s.Rules(t)
	t.Run("compare", s.Compare)
}

// Rules tests every rule of the contract, each on a store of its own. Each violation names its rule.
func (s Suite) Rules(t *testing.T) {
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			for _, r := range g.rules {
				t.Run(r.name, func(t *testing.T) { s.test(t, r) })
			}
		})
	}
}

// test tests one rule.
func (s Suite) test(t *testing.T, r rule) {
	switch {
	case r.days && s.RealTime:
		t.Skip("takes days of the store's clock")
	case r.restart && s.Reopen == nil:
		t.Skip("takes a store that can be reopened")
	case r.hosted && s.Begin == nil:
		t.Skip("takes a store that enqueues in transactions of the host's")
	}
	for _, v := range s.violations(t, r) {
		t.Errorf("%s\n\trule: %s", v, r.rule)
	}
}

// violations runs the rule, in the time that it takes, and returns what it saw broken.
func (s Suite) violations(t *testing.T, r rule) (violated []string) {
	dog := s.watch("rule " + r.name + " (" + r.rule + ")")
	defer dog.end()
	s.RealTime = s.RealTime || r.real
	s.inTime(t, func(t *testing.T) { violated = r.violations(s.newCheck(t, dog)) })
	return violated
}

// inTime runs f in fake time or in real time, whichever the store needs.
func (s Suite) inTime(t *testing.T, f func(t *testing.T)) {
	if s.RealTime {
		f(t)
		return
	}
	synctest.Test(t, f)
}

// newCheck opens a store and returns what a rule needs to look at it. Each call is watched.
func (s Suite) newCheck(t *testing.T, dog *watchdog) *check {
	c := newCheck(nil)
	var inner store.Store
	use := func(st store.Store) {
		inner = st
		c.store = &watched{Store: st, dog: dog, check: c}
		t.Cleanup(func() { closeStore(st) })
	}
	use(s.Open(t))
	c.bound, c.seals = s.bound(), s.Seals
	if s.RealTime {
		c.short, c.long, c.slack, c.skew = 600*time.Millisecond, time.Hour, 100*time.Millisecond, 10*time.Second
		c.slow = true
	}
	c.close = func() bool {
		defer dog.call("Close")()
		return closeStore(inner)
	}
	if s.Reopen != nil {
		c.reopen = func() {
			returned := dog.call("reopening")
			st := s.Reopen(t, inner)
			returned()
			use(st)
		}
	}
	if s.Begin != nil {
		c.hosted = &hosted{func() HostTx { return s.Begin(t, inner) }, s.Exclusive}
	}
	return c
}

// closeStore closes the store if it can be closed, and reports whether it could.
func closeStore(s store.Store) bool {
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
