// Package scan has the reads that may be long: lists of deliveries and subscriptions, the search
// for what is past its retention, for events to erase, and for the oldest pending delivery.
//
// bbolt reuses no page that was freed since the oldest open transaction began, and a commit that
// must map more of the file waits for all readers. So each read here goes in steps of half a
// millisecond ([txn.Tx.IsSlow]), each in a transaction of its own, and keeps how far it has come in
// a value that the caller holds between steps. What changes between two steps may or may not be
// seen.
//
//	DeliveryReader   deliveries that a query selects, in both directions
//	Subscriptions    subscriptions that a query selects
//	PruneWalk        a round through the events, and the removal of what it finds
//	ErasableSearch   the events of a tenant
//	OldestSearch     the oldest pending delivery of each of some subscriptions
package scan
