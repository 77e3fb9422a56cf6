package storetest

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
)

// Compare does random operations on the store and on a memstore, and compares what each returns and everything that can
// be seen of them afterwards. The operations of a sequence depend on its number only, so a failure comes again.
//
// Where the contract leaves a choice, whatever the store chooses is right and the memstore is made to follow: which of
// the subscriptions, and of due retries and first attempts, a limited Claim takes. That what it takes is within the
// limits, in order and fair is checked each time.
func (s Suite) Compare(t *testing.T) {
	seeds, steps := s.Seeds, s.Steps
	if seeds == 0 {
		seeds = DefaultSeeds
	}
	if steps == 0 {
		steps = DefaultSteps
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			if difference := s.difference(t, uint64(seed), steps); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// difference does one sequence, and returns the first difference; "" when there is none.
func (s Suite) difference(t *testing.T, seed uint64, steps int) (difference string) {
	dog := s.watch(fmt.Sprintf("comparison, seed %d", seed))
	defer dog.end()
	s.inTime(t, func(t *testing.T) {
		difference = newTwins(s.newCheck(t, dog), seed, s.RealTime).run(steps)
	})
	return difference
}

// twins are a store and its model, to which the same is done.
type twins struct {
	ours, model *check
	rand        *rand.Rand
	realTime    bool

	step  int
	trace []string // what was done

	subs   []string       // the IDs of subscriptions, deleted ones included
	events []events.Event // those that have been enqueued
	claims []pair         // all claims, old ones included
	erased []events.Event // those of them that were erased by their ID
	paused string         // the ID of the subscription that was paused last
	edges  []time.Time    // when a lease, a delay, a hold or a pause ends

	tx       HostTx         // one of the host's that is open, or nil
	txEvents []events.Event // what was enqueued in it
	txStep   int            // when it was begun

	// disordered says that there are events whose place in the order is the store's choice.
	disordered bool

	// orphans says that there may be events which no delivery refers to.
	orphans bool

	// requeued has the deliveries that were: where the first attempt of one is in the order is the store's choice.
	requeued map[delivery]bool
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

func newTwins(ours *check, seed uint64, realTime bool) *twins {
	model := newCheck(memstore.New())
	return &twins{
		ours:     ours,
		model:    model,
		realTime: realTime,
		rand:     rand.New(rand.NewPCG(seed, 0)),
		requeued: make(map[delivery]bool),
	}
}

// run does the steps. It returns what the first difference was, and how it came to it.
func (tw *twins) run(steps int) string {
	r := rule{test: func(*check) {
		for range 3 {
			tw.create()
		}
		for tw.step = 1; tw.step <= steps; tw.step++ {
			tw.oneStep()
			tw.look()
			if len(tw.ours.violated)+len(tw.model.violated) > 0 {
				return
			}
		}
		tw.drain()
	}}
	violated := append(r.violations(tw.ours), tw.model.violated...)
	if len(violated) == 0 {
		return ""
	}
	const last = 40
	trace := tw.trace[max(0, len(tw.trace)-last):]
	return fmt.Sprintf("step %d: %s\nwhat was done, the last at the end:\n\t%s",
		tw.step, strings.Join(violated, "\n"), strings.Join(trace, "\n\t"))
}

// note adds to the trace.
func (tw *twins) note(format string, args ...any) {
	tw.trace = append(tw.trace, fmt.Sprintf("%d: ", tw.step)+fmt.Sprintf(format, args...))
}

// oneStep does a random operation.
func (tw *twins) oneStep() {
	type operation struct {
		weight int
		do     func()
	}
	if tw.tx != nil && tw.step >= tw.txStep+longestTx {
		tw.endHost(true)
	}
	operations := []operation{
		{5, tw.create},
		{6, tw.update},
		{2, tw.delete},
		{20, tw.enqueue},
		{4, tw.enqueueKnown},
		{25, tw.claim},
		{25, tw.finish},
		{6, tw.release},
		{7, tw.pause},
		{6, tw.requeue},
		{2, tw.erase},
		{2, tw.prune},
		{12, tw.pass},
		{2, tw.refused},
		{4, tw.redeliver},
		{6, func() { tw.finishOf(tw.someSub(), tw.outcome) }},
		{5, tw.overtake},
		{2, tw.recreate},
		{2, tw.drain},
	}
	if tw.ours.reopen != nil {
		operations = append(operations, operation{4, tw.restart})
	}
	if tw.ours.hosted != nil {
		operations = append(operations, operation{5, tw.host})
	}
	if tw.tx != nil { // who is subscribed meanwhile, and what is erased, would be the store's choice
		operations = []operation{{10, tw.enqueue}, {10, tw.claim}, {10, tw.finish}, {3, tw.release}, {3, tw.redeliver},
			{3, tw.overtake}, {10, tw.host}}
	}
	total := 0
	for _, op := range operations {
		total += op.weight
	}
	n := tw.rand.IntN(total)
	for _, op := range operations {
		if n -= op.weight; n < 0 {
			op.do()
			return
		}
	}
}

// one returns a random one of the choices.
func one[T any](tw *twins, choices ...T) T { return choices[tw.rand.IntN(len(choices))] }

// chance is true once in n times.
func (tw *twins) chance(n int) bool { return tw.rand.IntN(n) == 0 }

// margin is how far from an edge operations stay whose result depends on the side: the stores may have taken the time
// at different moments of one operation.
const margin = 100 * time.Millisecond

// edge notes that something ends after d.
func (tw *twins) edge(d time.Duration) {
	if d > 0 {
		tw.edges = append(tw.edges, time.Now().Add(d))
	}
}

// stepAside lets the time pass until no edge is near, nor that of a slot in which attempts are counted.
func (tw *twins) stepAside() {
	for tw.atEdge(time.Now()) {
		tw.ours.pass(2 * margin)
	}
}

func (tw *twins) atEdge(now time.Time) bool {
	near := func(d time.Duration) bool { return d > -margin && d < margin }
	return near(now.Sub(now.Add(rollup.Length/2).Truncate(rollup.Length))) ||
		slices.ContainsFunc(tw.edges, func(edge time.Time) bool { return near(now.Sub(edge)) })
}

// pass lets a random time pass; in real time none, as nothing there is due soon.
func (tw *twins) pass() {
	if tw.realTime {
		return
	}
	d := one(tw, time.Second, 10*time.Second, time.Minute, 10*time.Minute, 5*time.Hour, 40*time.Hour)
	tw.note("%v pass", d)
	tw.ours.pass(d)
}

// restart reopens ours. Whether leases outlive a restart is the store's choice: giving them all back leaves none.
func (tw *twins) restart() {
	tw.note("restart")
	tw.ours.reopen()
	for _, id := range tw.subs {
		tw.model.pause(id, 0) // a pause is not kept
	}
	for i, p := range tw.claims {
		tw.ours.must("Release", tw.ours.store.Release(tw.ours.ctx, p.ours))
		tw.model.must("Release", tw.model.store.Release(tw.model.ctx, p.model))
		tw.claims[i].voided = true
	}
}
