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
	run       func(w *world) []Figure
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
		{"P1", "40 webhooks of a tenant answer after 14 s; another tenant has a quick one, 5 events/s", slowTenant},
		{"P2", "a tenant with very many flooded webhooks; another has one, 5 events/s", greedyTenant},
		{"P3", "26 events of a type that is answered with 422, then a good one an hour", refusedType(422)},
		{"P3", "the same with 500", refusedType(500)},
		{"P4", "an event a minute, a fifth of them answered with 422", refusedShare(422)},
		{"P4", "the same with 500", refusedShare(500)},
		{"P5", "an endpoint is down, 100 events wait", down},
		{"P6", "the host's network is down, an event an hour", networkDown},
		{"P7", "a backlog for one that takes a request a second, 429 with Retry-After: 1", throttled("1")},
		{"P7", "the same without Retry-After", throttled("")},
		{"P8", "random arrivals at half that rate, 429 with Retry-After: 1", trickle("1")},
		{"P8", "the same without Retry-After", trickle("")},
		{"P9", "a replay over many steps", replay},
		{"P12", "Transform fails for one type", failingTransform},
	}
}

// Run runs the scenario in a bubble of fake time on the store that open returns, in its short form or
// the whole of it. It returns what was measured; t fails if something was that must not be in any
// case. open is called in the bubble.
func (s *Scenario) Run(t *testing.T, open func(t *testing.T) store.Store, short bool) (figures []Figure) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, open(t), short)
		figures = s.run(w)
		w.close()
	})
	return figures
}
