package storetest_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest"
)

// breakage is a way to break the contract, and the rule that must see it.
type breakage struct {
	name  string
	rule  string
	spoil func(b *broken)
}

// open returns a store that is broken so.
func (br breakage) open(*testing.T) store.Store {
	b := newBroken()
	br.spoil(b)
	return b
}

func breakages() []breakage {
	return slices.Concat(subscriptionBreakages(), enqueueBreakages(), claimBreakages(), fairnessBreakages(),
		pauseBreakages(), finishBreakages(), bodyBreakages(), historyBreakages(), eraseBreakages(), windowBreakages(), boundBreakages(), readBreakages())
}

// TestBreakages shows that the suite bites: each deliberately broken store violates the rule that says so.
func TestBreakages(t *testing.T) {
	t.Parallel()
	for _, br := range breakages() {
		t.Run(br.name, func(t *testing.T) {
			violated, found := storetest.Suite{Open: br.open}.Violations(t, br.rule)
			switch {
			case !found:
				t.Errorf("there is no rule %s", br.rule)
			case len(violated) == 0:
				t.Errorf("rule %s: got no violation, want one", br.rule)
			default:
				t.Logf("rule %s: %s", br.rule, violated[0])
			}
		})
	}
}

// TestBreakagesCompared shows that the comparison with memstore bites too, which no rule tells where to look.
func TestBreakagesCompared(t *testing.T) {
	t.Parallel()
	blind := map[string]string{ // breakages that it can't see, and why
		"shares what it keeps":                             "it does not change what it gets",
		"never says that it is ready":                      "it does not wait",
		"goes on when the context has ended":               "no context of it ends",
		"waits for nothing":                                "a Wait that is too short does no harm there",
		"takes Until as included":                          "times of the two stores differ",
		"requeues all in one step":                         "it takes all steps",
		"names one that is held twice":                     "it asks who is held, over all steps",
		"does not say that it may probe":                   "it does not wait",
		"keeps an override that is over":                   "it meets no delivery whose override ends",
		"forgets what seals a subscription":                "nothing of it is sealed",
		"claims as if nothing was sealed":                  "nothing of it is sealed",
		"erases all in one step":                           "it takes all steps",
		"does not say that there is room":                  "it does not wait",
		"knows whom it pauses":                             "it pauses nobody else",
		"erases events that are not there":                 "whether they are is the store's choice there",
		"keeps a reference to a body":                      "it does not change what it gives",
		"stops pruning early":                              "it has too little to prune",
		"refuses without a name":                           "it does not look at the words of an error",
		"answers from a cache after Close":                 "it closes nothing",
		"answers from a cache when the context has ended":  "no context of it ends",
		"takes nothing to do after Close":                  "it closes nothing",
		"returns another error when the context has ended": "no context of it ends",
		"a large limit overflows":                          "its pages are small",
		"can't keep the year 9999":                         "its attempts are of today",
	}
	for _, br := range breakages() {
		t.Run(br.name, func(t *testing.T) {
			if why := blind[br.name]; why != "" {
				t.Skip(why)
			}
			const seeds = 3 * storetest.DefaultSeeds // most need one or two, but some meet what they break seldom
			for seed := range uint64(seeds) {
				suite := storetest.Suite{Open: br.open}
				if suite.Difference(t, seed, storetest.DefaultSteps) != "" {
					return
				}
			}
			t.Errorf("got no difference in %d sequences, want one", seeds)
		})
	}
}
