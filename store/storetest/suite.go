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

	// RealTime is for a store whose clock is not this process's, because it is in a server: rules then wait for real
	// time to pass, some tenths of a second each, and those that need days are skipped. That clock may be wrong by
	// some seconds and must keep the pace.
	RealTime bool

	// Seeds is how many sequences of random operations are compared with memstore. If zero, DefaultSeeds.
	Seeds int

	// Steps is how many operations there are in each. If zero, DefaultSteps.
	Steps int
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
	}
	s.inTime(t, func(t *testing.T) {
		for _, v := range r.violations(s.newCheck(t)) {
			t.Errorf("%s\n\trule: %s", v, r.rule)
		}
	})
}

// inTime runs f in fake time or in real time, whichever the store needs.
func (s Suite) inTime(t *testing.T, f func(t *testing.T)) {
	if s.RealTime {
		f(t)
		return
	}
	synctest.Test(t, f)
}

// newCheck opens a store and returns what a rule needs to look at it.
func (s Suite) newCheck(t *testing.T) *check {
	c := newCheck(s.open(t))
	if s.RealTime {
		c.short, c.long, c.slack, c.skew = 600*time.Millisecond, time.Hour, 100*time.Millisecond, 10*time.Second
	}
	if s.Reopen != nil {
		c.reopen = func() {
			c.store = s.Reopen(t, c.store)
			t.Cleanup(func() { closeStore(c.store) })
		}
	}
	return c
}

// open returns a new store that is closed at cleanup.
func (s Suite) open(t *testing.T) store.Store {
	st := s.Open(t)
	t.Cleanup(func() { closeStore(st) })
	return st
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
