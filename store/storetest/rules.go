package storetest

import (
	"slices"

	"github.com/outhook/outhook/store/storetest/internal/check"
	"github.com/outhook/outhook/store/storetest/internal/rules/calls"
	"github.com/outhook/outhook/store/storetest/internal/rules/history"
	"github.com/outhook/outhook/store/storetest/internal/rules/listing"
	"github.com/outhook/outhook/store/storetest/internal/rules/liveness"
	"github.com/outhook/outhook/store/storetest/internal/rules/outcomes"
	"github.com/outhook/outhook/store/storetest/internal/rules/published"
	"github.com/outhook/outhook/store/storetest/internal/rules/queue"
	"github.com/outhook/outhook/store/storetest/internal/rules/subscriptions"
)

// groups returns all rules.
func groups() []check.Group {
	return slices.Concat(subscriptions.Groups(), published.Groups(), queue.Groups(),
		outcomes.Groups(), listing.Groups(), history.Groups(), calls.Groups(), liveness.Groups())
}
