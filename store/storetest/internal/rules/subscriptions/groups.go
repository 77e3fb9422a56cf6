// Package subscriptions has the rules of subscriptions: how they are stored and changed, what ends
// with them, and which events they want.
package subscriptions

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "subscriptions", Rules: subscriptionRules()},
		{Name: "unsubscribe", Rules: unsubscribeRules()},
		{Name: "paused", Rules: pausedRules()},
		{Name: "withheld", Rules: withheldRules()},
		{Name: "wanted", Rules: wantedRules()},
		{Name: "filter", Rules: filterRules()},
	}
}
