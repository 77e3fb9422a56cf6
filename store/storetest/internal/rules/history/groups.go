// Package history has the rules of what was enqueued before: how it is read, counted, requeued,
// erased and pruned. How it is listed is package listing's.
package history

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "event", Rules: eventRules()},
		{Name: "event-ids", Rules: eventIDRules()},
		{Name: "requeue", Rules: requeueRules()},
		{Name: "probe-now", Rules: probeNowRules()},
		{Name: "erase", Rules: eraseRules()},
		{Name: "prune", Rules: pruneRules()},
		{Name: "count-pending", Rules: countPendingRules()},
		{Name: "stats", Rules: statsRules()},
	}
}
