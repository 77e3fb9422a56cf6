package storetest

import (
	"testing"
)

// Violations runs the rule, named "group/name", of the suite and returns what it saw broken. It reports whether there
// is such a rule.
func (s Suite) Violations(t *testing.T, name string) (violated []string, found bool) {
	for _, g := range groups() {
		for _, r := range g.rules {
			if g.name+"/"+r.name == name {
				return s.violations(t, r), true
			}
		}
	}
	return nil, false
}

// Difference compares the store with memstore and returns the first difference, "" when there is none.
func (s Suite) Difference(t *testing.T, seed uint64, steps int) (difference string) {
	return s.difference(t, seed, steps)
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
		for _, r := range g.rules {
			if r.restart {
				names = append(names, g.name+"/"+r.name)
			}
		}
	}
	return names
}

// Names returns the names of all rules, and their sentences.
func Names() map[string]string {
	names := make(map[string]string)
	for _, g := range groups() {
		for _, r := range g.rules {
			names[g.name+"/"+r.name] = r.rule
		}
	}
	return names
}
