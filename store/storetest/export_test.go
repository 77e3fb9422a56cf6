package storetest

import (
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/check"
	"github.com/outhook/outhook/store/storetest/internal/compare"
)

// Violations runs the rule, named "group/name", of the suite and returns what it saw broken. It
// reports whether there is such a rule.
func (s Suite) Violations(t *testing.T, name string) (violated []string, found bool) {
	r, found := check.Find(groups(), name)
	if !found {
		return nil, false
	}
	return s.setup().Violations(t, r), true
}

// Difference compares the store with memstore and returns the first difference, "" when there is
// none.
func (s Suite) Difference(t *testing.T, seed uint64, steps int) (difference string) {
	return compare.Difference(t, s.setup(), seed, steps)
}

// WithBite returns the suite with what is to happen when a call hangs.
func (s Suite) WithBite(bite func(hang string)) Suite {
	s.bite = bite
	return s
}

// RestartRules returns the names of the rules that restart the store.
func RestartRules() []string {
	var names []string
	for _, g := range groups() {
		for _, r := range g.Rules {
			if r.Restarts {
				names = append(names, g.Name+"/"+r.Name)
			}
		}
	}
	return names
}

// Names returns the names of all rules, and their sentences.
func Names() map[string]string {
	names := make(map[string]string)
	for _, g := range groups() {
		for _, r := range g.Rules {
			names[g.Name+"/"+r.Name] = r.Sentence
		}
	}
	return names
}
