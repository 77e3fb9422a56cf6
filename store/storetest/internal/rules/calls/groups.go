// Package calls has the rules of every method: the bounds of its arguments, what it returns after a
// change, after Close and with a context that has ended, and that its values are the caller's.
package calls

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "values", Rules: valueRules()},
		{Name: "bounds", Rules: boundRules()},
		{Name: "calls", Rules: callRules()},
		{Name: "reads", Rules: readRules()},
		{Name: "contexts", Rules: contextRules()},
	}
}
