// Package queue has the rules of what is pending: which deliveries a Claim takes, in which order
// and within which limits, and what it says of the next.
package queue

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "claim", Rules: claimRules()},
		{Name: "wait", Rules: waitRules()},
		{Name: "fairness", Rules: fairnessRules()},
		{Name: "limits", Rules: limitRules()},
		{Name: "pause", Rules: pauseRules()},
		{Name: "unblock", Rules: unblockRules()},
		{Name: "hidden", Rules: hiddenRules()},
		{Name: "probe", Rules: probeRules()},
		{Name: "tenants", Rules: tenantRules()},
		{Name: "throttle", Rules: throttleRules()},
	}
}
