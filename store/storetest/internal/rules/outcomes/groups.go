// Package outcomes has the rules of how a claim ends: by Finish or Release, and what that does to
// the delivery, to the health of its subscription and to the figures of attempts.
package outcomes

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "finish", Rules: finishRules()},
		{Name: "canceled", Rules: canceledRules()},
		{Name: "body", Rules: bodyRules()},
		{Name: "health", Rules: healthRules()},
		{Name: "release", Rules: releaseRules()},
		{Name: "ready", Rules: readyRules()},
		{Name: "windows", Rules: windowRules()},
		{Name: "figures", Rules: figuresRules()},
	}
}
