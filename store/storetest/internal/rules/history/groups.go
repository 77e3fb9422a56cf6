// Package history has the rules of what was enqueued before: how it is listed, counted, requeued,
// erased and pruned.
package history

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "deliveries", Rules: deliveryRules()},
		{Name: "wait", Rules: waitRules()},
		{Name: "pages", Rules: append(pageRules(), shortPageRules()...)},
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
