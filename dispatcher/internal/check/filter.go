package check

import (
	"slices"

	"github.com/outhook/outhook/events/filter"
	"github.com/outhook/outhook/store"
)

// checkFilter validates the filter and the fields, if they have changed: one that does not parse
// any more must not keep its owner from unsubscribing.
func checkFilter(sub, was *store.Subscription) error {
	if sub.Filter != was.Filter {
		if err := sub.FilterError(); err != nil {
			return err
		}
	}
	if len(sub.Fields) > 0 && !slices.Equal(sub.Fields, was.Fields) {
		if _, err := filter.ParseFields(sub.Fields); err != nil {
			return err
		}
	}
	return nil
}
