package store

// Page is one page of a listing.
type Page[T any] struct {
	Items []T

	// Next and Previous are cursors for the pages after and before this one; empty when there is none.
	// A cursor is opaque and stays valid while records come and go, and in a store that keeps them
	// after a restart. It tells its holder nothing, neither how much there is nor how much others
	// publish. It belongs to the query that it came from: with other filters it is no error, but it is
	// not defined where the listing starts. A page has at most 1,000,000 items, even if the Limit of
	// its query is higher.
	Next, Previous string

	// Total is how many items match on all pages. Deliveries are counted only if the query asks for
	// it.
	Total int
}
