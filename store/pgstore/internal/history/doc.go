// Package history reads what has become of deliveries, and changes it: lists, attempts and
// statistics; replays, erasure and retention.
//
// None of it needs to own a share. A change of what is pending is written with a notice, and the
// owner looks (package replica). So replicas that only serve the API can do all of this.
//
// # Invariants
//
//   - A list of one subscription, or of a tenant, reads the indexes of their rows and the events
//     above the low marks; a list of all walks the events. No call looks at more deliveries than a
//     page has and a filter may pass over, which is bounded (search.go).
//   - A step is one short transaction. An erasure or a retention that needs more takes more, and
//     one that was interrupted goes on with the next Prune.
//   - A search since a time begins at the events that can be from then: Prune notes until when each
//     ten thousand were enqueued, so publishing writes no index of times.
//   - One replica prunes at a time, by an advisory lock of the transaction.
package history
