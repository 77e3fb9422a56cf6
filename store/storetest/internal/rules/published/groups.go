// Package published has the rules of what an event brings along: that it is stored once with its
// content, its trace and its tags, its key, and the times before and after which nothing of it is
// sent.
package published

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "enqueue", Rules: enqueueRules()},
		{Name: "keys", Rules: keyRules()},
		{Name: "trace", Rules: traceRules()},
		{Name: "later", Rules: laterRules()},
		{Name: "expiry", Rules: expiryRules()},
	}
}
