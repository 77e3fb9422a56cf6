package store

import "time"

// Page is one page of a listing.
type Page[T any] struct {
	Items []T

	// Next and Previous are cursors for the pages after and before this one; empty when there is
	// none. A cursor is opaque and stays valid while records come and go, and in a store that keeps
	// them after a restart. It tells its holder nothing, neither how much there is nor how much
	// others publish. It belongs to the query that it came from: with other filters it is no error,
	// but it is not defined where the listing starts. A page has at most 1,000,000 items, even if
	// the Limit of its query is higher.
	//
	// A page of deliveries, or of subscriptions by a filter, may be shorter than its Limit, or
	// empty, and still have a cursor: the store has read as much as one call may, and goes on from
	// there. So a listing ends where the cursor is empty, and nowhere else.
	Next, Previous string

	// SearchedTo is, if the store has stopped before the page was full, the CreatedAt of the last
	// delivery that it has looked at. It is zero otherwise. To show it to a
	// tenant, see SearchedToMinute.
	SearchedTo time.Time

	// Total is how many items match on all pages. Deliveries are counted only if the query asks for
	// it, and not all of them if there are many: with TotalIsLowerBound there are at least Total.
	// Subscriptions are not counted by a filter: Total is 0 then, and a lower bound.
	Total             int
	TotalIsLowerBound bool
}

// SearchedToMinute is the end of the minute of SearchedTo: all that is later was searched. It is
// zero if that is. The exact time is that of a delivery which may be another tenant's; two of them
// would tell a tenant how much others publish.
func (p *Page[T]) SearchedToMinute() time.Time {
	if p.SearchedTo.IsZero() {
		return time.Time{}
	}
	return p.SearchedTo.Truncate(time.Minute).Add(time.Minute)
}
