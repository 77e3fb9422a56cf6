package store

// Page is one page of a listing.
type Page[T any] struct {
	Items []T

	// Next and Previous are cursors for the pages after and before this one; empty if there is
	// none. A cursor is opaque, stays valid while records come and go, and belongs to the query
	// that it came from: given to one with other filters it is no error, but where that listing
	// starts is not defined. A page has at most 1,000,000 items, whatever the Limit of its query.
	Next, Previous string

	// Total is how many items match on all pages. Of deliveries it is counted only when the query
	// asks for it.
	Total int
}
