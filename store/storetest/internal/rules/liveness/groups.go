// Package liveness has the rules that nothing gets stuck: everything pending comes to an end, also
// with many callers, after a restart, beside transactions of the host's, and at every size.
package liveness

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "host-transactions", Rules: hostRules()},
		{Name: "liveness", Rules: livenessRules()},
		{Name: "concurrency", Rules: concurrencyRules()},
		{Name: "restart", Rules: restartRules()},
	}
}
