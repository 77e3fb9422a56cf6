package calls_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/rules/calls"
)

// TestBreakages shows that the rules and the comparison catch stores that break them.
func TestBreakages(t *testing.T) {
	broken.Test(t, calls.Groups(),
		slices.Concat(boundsBreakages(), enqueueBreakages(), readsBreakages(),
			subscriptionsBreakages()), map[string]string{
			"shares what it keeps":                             "it does not change what it gets",
			"goes on when the context has ended":               "no context of it ends",
			"refuses without a name":                           "it compares no error text",
			"answers from a cache after Close":                 "it closes nothing",
			"answers from a cache when the context has ended":  "no context of it ends",
			"takes nothing to do after Close":                  "it closes nothing",
			"returns another error when the context has ended": "no context of it ends",
			"a large limit overflows":                          "its pages are small",
			"can't keep the year 9999":                         "its attempts are of today",
		})
}
