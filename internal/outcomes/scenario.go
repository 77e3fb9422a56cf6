package outcomes

import (
	"testing"
	"testing/synctest"

	"github.com/outhook/outhook/store"
)

// Scenario is a situation with what must come out.
type Scenario struct {
	Name      string // "P1"
	Situation string
	realTime  bool // it takes minutes at most, so it need not have fake time
	run       func(w *world) []Figure
}

// Form is how a scenario is run.
type Form struct {
	// Short is for continuous integration: seconds, and smaller numbers.
	Short bool
	// RealTime is for stores that cannot have fake time, because they wait for a server, and for
	// seeing what the machine's time is spent on, which takes none of fake time.
	RealTime bool
}

// Figure is something that was measured, and its bound.
type Figure struct {
	Measure string
	Value   float64
	Unit    string
	Bound   float64
	AtLeast bool // Value must be at least Bound, and not at most
}

// Reached reports whether the figure keeps its bound.
func (f *Figure) Reached() bool {
	if f.AtLeast {
		return f.Value >= f.Bound
	}
	return f.Value <= f.Bound
}

// All returns the scenarios, in the order of their names.
func All() []Scenario {
	return []Scenario{
		{"P1", "40 webhooks of a tenant answer after 14 s; another tenant has a quick one, 5 events/s",
			true, slowTenant},
		{"P2", "a tenant with very many flooded webhooks; another has one, 5 events/s",
			true, greedyTenant},
		{"P3", "26 events of a type that is answered with 422, then a good one an hour",
			false, refusedType(422)},
		{"P3", "the same with 500", false, refusedType(500)},
		{"P4", "an event a minute, a fifth of them answered with 422", false, refusedShare(422)},
		{"P4", "the same with 500", false, refusedShare(500)},
		{"P5", "an endpoint is down, 100 events wait", false, down},
		{"P6", "the host's network is down, an event an hour", false, networkDown},
		{"P7", "a backlog for one that takes a request a second, 429 with Retry-After: 1",
			false, throttled("1")},
		{"P7", "the same without Retry-After", false, throttled("")},
		{"P8", "random arrivals at half that rate, 429 with Retry-After: 1", false, trickle("1")},
		{"P8", "the same without Retry-After", false, trickle("")},
		{"P9", "a replay over many steps", true, replay},
		{"P12", "Transform fails for one type", true, failingTransform},
	}
}

// Has reports whether the scenario can be run in a form.
func (s *Scenario) Has(f Form) bool { return s.realTime || !f.RealTime }

// Run runs the scenario on the store that open returns, in a bubble of fake time unless the form is
// RealTime. It returns what was measured; t fails if something was that must not be in any case.
// open is called in the bubble.
func (s *Scenario) Run(t *testing.T, open func(t *testing.T) store.Store, f Form) []Figure {
	var figures []Figure
	run := func(t *testing.T) {
		w := newWorld(t, open(t), f)
		figures = s.run(w)
		w.close()
	}
	if f.RealTime {
		run(t)
	} else {
		synctest.Test(t, run)
	}
	return figures
}
