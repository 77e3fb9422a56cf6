// Package store defines what outhook keeps and the contract of a [Store] that keeps it.
//
// Three stores come with outhook: boltstore, one file, the default; memstore, for tests; and pgstore, PostgreSQL,
// which several replicas of a host can share. A store of your own passes storetest.Run, which is this contract as
// executable rules.
//
// # The contract
//
// A store does domain operations: each method is one transaction that takes effect as a whole or not at all, and is
// on disk when it returns nil, Finish and Release excepted. An error of unknown effect (the disk failed, the context
// ended while waiting) leaves either all of it or none; each method says whether calling it again is safe, and for all
// but CreateSubscription it is.
//
// A store holds no policy. It never sends, retries, signs or logs; it counts failures but does not know how many are
// too many; limits, delays and leases come with each call. So every rule about time and failure has one home, the
// dispatcher.
//
// A store has one clock, and it alone stamps records and decides what is due: callers give durations, never times.
// Event.Time and Attempt.At are data.
//
// Every duration, limit and time that a store takes has bounds: see MaxDuration and MaxLimit. A store checks its
// arguments by the Validate methods and functions of this package before anything else, and returns their
// *events.InvalidError, which names the field, says what it is and what to give.
//
// Methods may be called from any number of goroutines. Values in, values out: a store keeps no reference to what it
// was given, and what it returns is the caller's, except that claims are for reading only.
//
// Contexts: a method returns early when its context ends while it waits, and does not start when it has ended already.
// After Close every method returns [ErrClosed].
//
// # Order and fairness
//
// Enqueue gives every event a place in one order; events of one call keep the order they have in it. First attempts of
// a subscription are claimed in that order. Between subscriptions there is no order but turns: see Claim.
//
// # Leases
//
// A claim leases a delivery for a time and carries a token. Until the lease ends nobody else can claim the delivery;
// when it runs out, somebody can, with a new token, and the old token is worth nothing any more except to say that the
// delivery succeeded. This is what makes delivery at least once with crashes, and exactly once without.
//
// # Time
//
// No call is without a bound. What a call does on its own is bounded by its arguments, as each method says, and never
// grows with the backlog, the history or what others have erased, deleted or given up. What it waits for is another's
// commit, a transaction of the host's, or a server: it then returns its context's error soon after the context ends. So
// with a context that ends, every call does; without one, it waits as long as the host's transaction or the server does.
//
// storetest calls every method in each state that it reaches and fails the store when a call takes longer than
// storetest.DefaultBound, which is generous to slow machines: what takes longer than a second on a healthy one is a
// fault.
//
// # Size
//
// Memory may grow with the subscriptions that have something pending, within a small bound for each; not with the
// length of the backlog, the history, or the number of subscriptions. No method walks the backlog or the history in
// one transaction; Deliveries reads as far as it must to fill a page.
package store

import "time"

// SubscribeGrace is how much earlier than the subscription an event may have happened and still be delivered: the
// clocks of several hosts differ.
const SubscribeGrace = time.Minute
