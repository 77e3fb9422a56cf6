// Package compare does random operations on a store and on a memstore side by side, and compares
// what both return and show after each.
package compare

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// modelPair is a store and its model, to which the same is done.
type modelPair struct {
	ours, model *check.Driver
	rand        *rand.Rand
	realTime    bool

	step  int
	trace []string    // what was done
	edges []time.Time // when a lease, a delay, a hold or a pause ends

	// shards says that the store is several, to which tenants are dealt.
	shards bool

	// disordered says that there are events whose place in the order is the store's choice.
	disordered bool
}

// sequence is random operations on both, and what they know of those before them.
type sequence struct {
	*modelPair

	subs   []string       // the IDs of subscriptions, deleted ones included
	events []events.Event // those that have been enqueued
	claims []pair         // all claims, old ones included
	erased []events.Event // those of them that were erased by their ID
	paused string         // the ID of the subscription that was paused last

	tx       check.HostTx   // one of the host's that is open, or nil
	txEvents []events.Event // what was enqueued in it
	txStep   int            // when it was begun

	erases bool // something was erased

	// orphans says that there may be events which no delivery refers to.
	orphans bool

	// requeued has the deliveries that were: where the first attempt of one is in the order is the
	// store's choice.
	requeued map[delivery]bool

	own map[string]ownLimit // the limits of their own that subscriptions have in ours
}

// delivery names one.
type delivery struct{ subscriptionID, eventID string }

// pair is a claim of the same delivery in both.
type pair struct {
	ours, model store.Lease
	attempt     int

	// voided says that the model's token is worth nothing any more while ours may be: see follow.
	voided bool
}

func newSequence(ours *check.Driver, seed uint64, realTime, shards bool) *sequence {
	return &sequence{
		modelPair: &modelPair{
			ours:     ours,
			model:    check.NewDriver(memstore.New(), false),
			realTime: realTime,
			shards:   shards, disordered: shards,
			rand: rand.New(rand.NewPCG(seed, 0)),
		},
		requeued: make(map[delivery]bool),
		own:      make(map[string]ownLimit),
	}
}

// Difference does one sequence of operations on a store and on a memstore. It returns what the
// first difference was and which operations led to it; "" if there is none.
func Difference(t *testing.T, setup check.Setup, seed uint64, steps int) string {
	var s *sequence
	violated := setup.Run(t, fmt.Sprintf("comparison, seed %d", seed), func(c *check.Driver) {
		s = newSequence(c, seed, setup.RealTime, setup.Shards)
		s.run(steps)
	})
	if s != nil {
		violated = append(violated, s.model.Violations()...)
	}
	if len(violated) == 0 {
		return ""
	}
	if s == nil {
		return strings.Join(violated, "\n")
	}
	const last = 40
	trace := s.trace[max(0, len(s.trace)-last):]
	return fmt.Sprintf("step %d: %s\nwhat was done, the last at the end:\n\t%s",
		s.step, strings.Join(violated, "\n"), strings.Join(trace, "\n\t"))
}

// run does the steps until the first difference.
func (s *sequence) run(steps int) {
	for range 3 {
		s.create()
	}
	for s.step = 1; s.step <= steps; s.step++ {
		s.oneStep()
		s.compareState()
		if len(s.ours.Violations())+len(s.model.Violations()) > 0 {
			return
		}
	}
	s.drain()
}

// note adds to the trace.
func (mp *modelPair) note(format string, args ...any) {
	mp.trace = append(mp.trace, fmt.Sprintf("%d: ", mp.step)+fmt.Sprintf(format, args...))
}

// oneStep does a random operation.
func (s *sequence) oneStep() {
	type operation struct {
		weight int
		do     func()
	}
	if s.tx != nil && s.step >= s.txStep+longestTx {
		s.endHost(true)
	}
	operations := []operation{
		{5, s.create},
		{6, s.update},
		{2, s.delete},
		{20, s.enqueue},
		{4, s.enqueueKnown},
		{25, s.claim},
		{25, s.finish},
		{6, s.release},
		{7, s.pause},
		{5, s.limit},
		{6, s.requeue},
		{2, s.erase},
		{2, s.prune},
		{12, s.pass},
		{2, s.refused},
		{4, s.redeliver},
		{6, func() { s.finishOf(s.someSub(), s.outcome) }},
		{5, s.overtake},
		{2, s.recreate},
		{2, s.drain},
	}
	if s.ours.Reopen != nil {
		operations = append(operations, operation{4, s.restart})
	}
	if s.ours.Hosted != nil {
		operations = append(operations, operation{5, s.host})
	}
	if s.tx != nil { // who is subscribed meanwhile, and what is erased, would be the store's choice
		operations = []operation{{10, s.enqueue}, {10, s.claim}, {10, s.finish}, {3, s.release},
			{3, s.redeliver},
			{3, s.overtake}, {10, s.host}}
	}
	total := 0
	for _, op := range operations {
		total += op.weight
	}
	n := s.rand.IntN(total)
	for _, op := range operations {
		if n -= op.weight; n < 0 {
			op.do()
			return
		}
	}
}

// one returns a random one of the choices.
func one[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

// chance is true once in n times.
func (mp *modelPair) chance(n int) bool { return mp.rand.IntN(n) == 0 }

// margin is how far from an edge operations stay whose result depends on the side: the stores may
// have taken the time at different moments of one operation.
const margin = 100 * time.Millisecond

// edge notes that something ends after d.
func (mp *modelPair) edge(d time.Duration) {
	if d > 0 {
		mp.edges = append(mp.edges, time.Now().Add(d))
	}
}

// stepAside lets the time pass until no edge is near, nor that of a slot in which attempts are
// counted.
func (mp *modelPair) stepAside() {
	for mp.atEdge(time.Now()) {
		mp.ours.Pass(2 * margin)
	}
}

func (mp *modelPair) atEdge(now time.Time) bool {
	near := func(d time.Duration) bool { return d > -margin && d < margin }
	return near(now.Sub(now.Add(rollup.Length/2).Truncate(rollup.Length))) ||
		slices.ContainsFunc(mp.edges, func(edge time.Time) bool { return near(now.Sub(edge)) })
}

// pass lets a random time pass; in real time none, as nothing there is due soon.
func (s *sequence) pass() {
	if s.realTime {
		return
	}
	d := one(s.rand, time.Second, 10*time.Second, time.Minute, 10*time.Minute, 5*time.Hour,
		40*time.Hour)
	s.note("%v pass", d)
	s.ours.Pass(d)
}

// restart reopens ours. Whether leases outlive a restart is the store's choice: giving them all
// back leaves none.
func (s *sequence) restart() {
	s.note("restart")
	s.ours.Reopen()
	for _, id := range s.subs {
		s.model.Pause(id, 0) // a pause is not kept
	}
	clear(s.own) // nor is a limit
	for i, p := range s.claims {
		s.ours.Must("Release", s.ours.Store.Release(s.ours.Ctx(), p.ours))
		s.model.Must("Release", s.model.Store.Release(s.model.Ctx(), p.model))
		s.claims[i].voided = true
	}
}
