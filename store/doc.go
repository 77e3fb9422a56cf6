// Package store defines what outhook keeps and the contract of a [Store] that keeps it.
//
// Three stores come with outhook: boltstore, one file, the default; memstore, for tests; and
// pgstore, PostgreSQL, which several replicas of a host can share. Package shards makes one Store
// of several, to which tenants are dealt, and moves tenants between those that are a [TenantMover].
// A store of your own passes storetest.Run, which is this contract as executable rules.
//
// # The contract
//
// A store does domain operations. Each method is one transaction that takes effect as a whole or
// not at all, and is on disk when it returns nil; Finish and Release are exceptions. After an error
// of unknown effect (the disk failed, the context ended while waiting) either all of it has
// happened or nothing. Calling again is safe for every method but CreateSubscription.
//
// A store holds no policy. It never sends, retries, signs or logs. It counts failures but does not
// know how many are too many; limits, delays, leases and pauses come with each call, and what
// becomes of health is what [Health.Next] says of an outcome and [Health.Updated] of a change. So
// every rule about time and failure is in one place, the dispatcher.
//
// A store has one clock, which alone stamps records and decides what is due: callers give
// durations. The only times of theirs that it compares with its clock are an event's NotBefore and
// ExpiresAt; Event.Time and Attempt.At are data.
//
// Every duration, limit and time that a store takes has bounds: see MaxDuration and MaxLimit. A
// store first checks its arguments by the Validate methods and functions of this package, and
// returns their *events.InvalidError, which names the field, says what it is and what to give.
//
// Methods may be called from any number of goroutines. A store keeps no reference to its arguments,
// and what it returns belongs to the caller; only claims are for reading.
//
// A method does not start if its context has ended, and returns early if its context ends while it
// waits. After Close every method returns [ErrClosed].
//
// # Order and fairness
//
// Enqueue gives every event a place in one order; events of one call keep their order. First
// attempts of a subscription are claimed in that order, probes excepted, and so is what Requeue has
// asked for, in however many steps. Between subscriptions there is no order but turns: see Claim.
//
// # Leases
//
// A claim leases a delivery for a time and carries a token. Until the lease ends nobody else can
// claim the delivery. When it runs out, another caller can, with a new token; the old token can
// then only record a success. So delivery is at least once with crashes, and exactly once without.
//
// # Time
//
// No call takes time without a bound. The work of a call is bounded by its arguments, as each
// method says, and never grows with the backlog, the history or what others have erased, deleted or
// given up. A call may wait for another's commit, for a transaction of the host, or for a server;
// it then returns its context's error soon after the context ends. Without a context that ends, it
// waits as long as the transaction or the server takes.
//
// storetest calls every method in each state that it reaches and fails the store if a call takes
// longer than storetest.DefaultBound, which is generous to slow machines: more than a second on a
// healthy one is a fault.
//
// # Size
//
// Memory may grow with the number of subscriptions that have something pending, within a small
// bound for each; not with the backlog, the history or the number of subscriptions. No method walks
// the backlog or the history: what a listing passes over in one call is bounded too.
package store

import "time"

// SubscribeGrace is how much earlier than the subscription an event may have happened and still be
// delivered: the clocks of several hosts differ.
const SubscribeGrace = time.Minute
