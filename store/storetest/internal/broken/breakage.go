// Package broken has stores that break the contract in one way each. They prove that each rule of
// storetest fails for a store that breaks it.
package broken

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
	"github.com/outhook/outhook/store/storetest/internal/compare"
)

// Breakage is a way to break the contract, and the rule that must catch it, as "group/name".
type Breakage struct {
	Name  string
	Rule  string
	Spoil func(b *Store)
}

// Setup returns how a store that is broken so is opened.
func (br Breakage) Setup() check.Setup {
	return check.Setup{
		Open: func(*testing.T) store.Store {
			b := New()
			br.Spoil(b)
			return b
		},
		Bound: 30 * time.Second,
	}
}

// sequences and steps are how many random operations a breakage is compared with. Most show in one
// sequence or two, but some meet what they break seldom.
const (
	sequences = 240
	steps     = 150
)

// Test tests that each breakage violates its rule, and that the comparison with memstore, which
// does not know where to look, finds a difference. blind has the breakages that the comparison
// can't find, by name, with the reason.
func Test(t *testing.T, groups []check.Group, breakages []Breakage, blind map[string]string) {
	t.Parallel()
	known := make(map[string]bool)
	for _, br := range breakages {
		known[br.Name] = true
		t.Run(br.Name, func(t *testing.T) {
			br.violates(t, groups)
			if blind[br.Name] == "" {
				br.differs(t)
			}
		})
	}
	for name := range blind {
		if !known[name] {
			t.Errorf("there is no breakage %q, which the comparison is said not to find", name)
		}
	}
}

// violates tests that the rule catches the breakage.
func (br Breakage) violates(t *testing.T, groups []check.Group) {
	rule, found := check.Find(groups, br.Rule)
	if !found {
		t.Fatalf("there is no rule %s", br.Rule)
	}
	violated := br.Setup().Violations(t, rule)
	if len(violated) == 0 {
		t.Errorf("rule %s: got no violation, want one", br.Rule)
		return
	}
	t.Logf("rule %s: %s", br.Rule, violated[0])
}

// differs tests that the comparison finds the breakage.
func (br Breakage) differs(t *testing.T) {
	for seed := range uint64(sequences) {
		if compare.Difference(t, br.Setup(), seed, steps) != "" {
			return
		}
	}
	t.Errorf("compared with memstore: got no difference in %d sequences, want one", sequences)
}
