// Package pending is the one place that knows which deliveries are pending, and where that is known
// from. It works over ordered buckets, so it needs no database: in a store they are bbolt's, in its
// tests they are sorted maps. It does no I/O of its own and takes no lock.
//
// # Problem
//
// An event may have ten thousand recipients, and a delivery that succeeds at the first attempt
// should be written once. So storing an event writes no record for its deliveries, yet each of them
// is pending from then on, and must be found, counted, canceled and erased like one that has a
// record.
//
// # Where a delivery is known from
//
// A delivery that exists is in exactly one of three places. The first that has it counts:
//
//	row       deliveries has a record of it. It says everything.
//	chunk     no row, and its event is in a chunk of its subscription: pending.
//	implicit  no row, and its event is above the watermark: pending.
//	          Otherwise there is no such delivery.
//
//	              rising                watermark goes where rising is, once all is packed
//	                 │
//	   ──────────┬───▼────────┬───────────────────────────▶ sequence number of the event
//	      chunk  │   chunk or │        implicit
//	      or row │   implicit │        or row
//	             │   or row   │
//	         watermark      (what is packed so far, by subscription)
//
// Only memory lists what is implicit, by subscription. When memory has too much, the watermark
// rises: [Set.Spill] packs implicit deliveries into chunks, a few subscriptions in each
// transaction, and when all are packed the watermark itself is written. Until then a delivery
// between watermark and rising may be in a chunk or implicit, and [Set.Packed] has to look.
//
// A row is never taken out of a chunk: a delivery that gets a row stays listed there, and the row
// counts. A chunk is removed when nothing in it is pending any more ([Set.Trim]).
//
// # Marks
//
// Canceling all that is pending for a subscription writes one [record.Mark], and erasing an event
// one [record.Erasure]. Every reader applies them ([Set.Find]), so they hold at once, however much
// is pending. The rows, indexes and counts follow in small steps. Until then a delivery is
// [Delivery.Marked]: its row still says pending, and it is still in the indexes.
//
// # Invariants
//
//   - Due has exactly the rows that are listed and not blocked, and Keyed exactly the listed
//     deliveries that have an ordering key, whether they have a row or not.
//   - States has exactly the rows that do not say delivered, under the state that they say; so a
//     delivery that succeeds at once is never written there. A listing by state reads it.
//   - Of the pending deliveries of a key, only the first is not blocked.
//   - A backlog counts the pending deliveries that have a row or are in a chunk, less those that a
//     Mark has canceled. An erasure takes a delivery out of the count only when its row is written.
//   - Everything that a transition changes is written in the same transaction, and its Change goes
//     to the journal in the order of the writes.
package pending
