package storetest

import (
	"testing"
	"testing/synctest"
)

// Violations runs the rule, named "group/name", of the suite and returns what it saw broken. It reports whether there
// is such a rule.
func (s Suite) Violations(t *testing.T, name string) (violated []string, found bool) {
	for _, g := range groups() {
		for _, r := range g.rules {
			if g.name+"/"+r.name == name {
				synctest.Test(t, func(t *testing.T) { violated = r.violations(s.newCheck(t)) })
				return violated, true
			}
		}
	}
	return nil, false
}

// Difference compares the store with memstore and returns the first difference, "" when there is none.
func (s Suite) Difference(t *testing.T, seed uint64, steps int) (difference string) {
	synctest.Test(t, func(t *testing.T) { difference = newTwins(s.newCheck(t), seed, false).run(steps) })
	return difference
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
