package storetest

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
	"github.com/outhook/outhook/store/storetest/internal/compare"
	"github.com/outhook/outhook/store/storetest/internal/rules/liveness"
)

// Run tests a store against the contract of package store. open returns a new, empty store; Run
// closes it when it has a Close method, with or without an error as its result. It is called once
// for each rule, inside a bubble of testing/synctest, so the store's clock must be time.Now and its
// goroutines must end with Close. For any other store, and for more than this, see [Suite].
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	Suite{Open: open}.Run(t)
}

// Suite is the conformance suite with its settings. Only Open is needed.
type Suite struct {
	// Open returns a new, empty store.
	Open func(t *testing.T) store.Store

	// Reopen ends s as a restart of the host would, and returns a store on what it kept. If nil,
	// nothing is tested that needs it, as there is nothing that a store in memory keeps.
	Reopen func(t *testing.T, s store.Store) store.Store

	// Begin begins a host transaction in which s enqueues. If nil, nothing is tested that
	// needs it.
	Begin func(t *testing.T, s store.Store) HostTx

	// Exclusive says that every other call that writes waits while such a transaction is open.
	// Calls that read, and Claim, must not.
	Exclusive bool

	// Bound is how long one call may take, in any state of the store. One that takes longer ends
	// the process, with the stack of each goroutine. If zero, DefaultBound.
	Bound time.Duration

	// Seals says that the store encrypts what subscriptions keep secret, as package sealed does:
	// Subscription.SealedWith is then its own to set.
	Seals bool

	// Shards says that the store is several, to which tenants are dealt, as package shards makes
	// one. Turns of classes are then each store's own, and so is what one call stores for several
	// tenants, and the order in a listing of what was stored at the same moment.
	Shards bool

	// Parallel runs the rules at once, as many as -parallel says: for a store that waits for a
	// server or a disk most of the time.
	Parallel bool

	// RealTime is for a store whose clock is not this process's, because it is in a server: rules
	// then wait for real time to pass, some tenths of a second each, and those that need days are
	// skipped. That clock may be wrong by some seconds and must keep the pace.
	RealTime bool

	// Skip has the rules that a store does not keep yet, by group and name ("health/hold") or by
	// group alone, each with the reason, which the test reports. "compare" is the comparison with
	// memstore.
	Skip map[string]string

	// Seeds is how many sequences of random operations are compared with memstore. If zero,
	// DefaultSeeds.
	Seeds int

	// Steps is how many operations there are in each. If zero, DefaultSteps.
	Steps int

	bite func(hang string) // what happens to a call that hangs; if nil, kill
}

// DefaultBound is how long one call of a store may take, unless [Suite.Bound] says otherwise. Most
// take milliseconds: the bound is for what never ends, on a machine of any speed.
const DefaultBound = 30 * time.Second

// The defaults of a [Suite].
const (
	DefaultSeeds = 20
	DefaultSteps = 150
)

// Run runs the whole suite.
func (s Suite) Run(t *testing.T) {
	s.Rules(t)
	t.Run("compare", func(t *testing.T) {
		if why := s.Skip["compare"]; why != "" {
			t.Skip(why)
		}
		s.Compare(t)
	})
}

// Rules tests every rule of the contract, each on a store of its own. Each violation names its
// rule.
func (s Suite) Rules(t *testing.T) {
	for _, g := range groups() {
		t.Run(g.Name, func(t *testing.T) {
			s.parallel(t)
			for _, r := range g.Rules {
				t.Run(r.Name, func(t *testing.T) {
					s.parallel(t)
					if why := cmp.Or(s.Skip[g.Name+"/"+r.Name], s.Skip[g.Name]); why != "" {
						t.Skip(why)
					}
					s.test(t, r)
				})
			}
		})
	}
}

func (s Suite) parallel(t *testing.T) {
	if s.Parallel {
		t.Parallel()
	}
}

// test tests one rule.
func (s Suite) test(t *testing.T, r check.Rule) {
	switch {
	case r.Days && s.RealTime:
		t.Skip("takes days of the store's clock")
	case r.Restarts && s.Reopen == nil:
		t.Skip("takes a store that can be reopened")
	case r.HostTx && s.Begin == nil:
		t.Skip("takes a store that enqueues in host transactions")
	}
	for _, v := range s.setup().Violations(t, r) {
		t.Errorf("%s\n\trule: %s", v, r.Sentence)
	}
}

// Compare does random operations on the store and on a memstore, and compares what each returns and
// everything that can be seen of them afterwards. The operations of a sequence depend on its number
// only, so a failure comes again.
//
// Where the contract leaves a choice, each choice of the store is right and the memstore is made
// to follow: which of the subscriptions, and of due retries and first attempts, a limited Claim
// takes. That what it takes is within the limits, in order and fair is checked each time.
func (s Suite) Compare(t *testing.T) {
	seeds, steps := cmp.Or(s.Seeds, DefaultSeeds), cmp.Or(s.Steps, DefaultSteps)
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			s.parallel(t)
			if difference := compare.Difference(t, s.setup(), uint64(seed),
				steps); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// Sizes fills stores with wide events, ends what is pending in each of the ways there are, and
// prunes it at once. Each call is watched: none may take longer than the Bound, at any size.
// It leaves out sizes of more than most deliveries; the largest has 1,000,000: they take
// minutes. It works in real time.
func (s Suite) Sizes(t *testing.T, most int) {
	s.RealTime = true
	liveness.Sizes(t, s.setup(), most)
}

// setup returns how the suite opens a store.
func (s Suite) setup() check.Setup {
	setup := check.Setup{
		Open: s.Open, Reopen: s.Reopen, Exclusive: s.Exclusive, Seals: s.Seals,
		Shards:   s.Shards,
		RealTime: s.RealTime,
		Bound:    cmp.Or(s.Bound, DefaultBound), Bite: s.bite,
	}
	if s.Begin != nil {
		setup.Begin = func(t *testing.T, st store.Store) check.HostTx { return s.Begin(t, st) }
	}
	return setup
}
