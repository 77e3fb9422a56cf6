package page

import "github.com/outhook/outhook/store"

// MaxItems is how many items a page or a step has at most, even if its limit is higher. All of them
// are in memory at once.
const MaxItems = 1_000_000

// Limit returns how many deliveries or events a page or a step has at most, given the Limit of its
// query: [store.DefaultDeliveryLimit] for zero.
func Limit(asked int) int {
	if asked == 0 {
		return store.DefaultDeliveryLimit
	}
	return min(asked, MaxItems)
}

// LimitOrAll is Limit for subscriptions, all of which are on one page if their query sets no limit
// and has no filter: it returns zero then.
func LimitOrAll(q *store.SubscriptionQuery) int {
	if q.Filtered() {
		return Limit(q.Limit)
	}
	return min(q.Limit, MaxItems)
}
