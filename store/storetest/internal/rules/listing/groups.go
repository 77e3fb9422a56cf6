// Package listing has the rules of how deliveries and subscriptions are listed: which, in what
// order, in what pages, and what a delivery is said to wait for.
package listing

import "github.com/outhook/outhook/store/storetest/internal/check"

// Groups returns the rules of this package.
func Groups() []check.Group {
	return []check.Group{
		{Name: "deliveries", Rules: deliveryRules()},
		{Name: "wait", Rules: waitRules()},
		{Name: "pages", Rules: append(pageRules(), shortPageRules()...)},
	}
}
