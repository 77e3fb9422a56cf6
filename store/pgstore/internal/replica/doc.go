// Package replica is what the rooms of one replica share: its number, its memory, how it learns of
// what other replicas write, and the locks between its operations.
//
// # Problem
//
// A replica that writes something for another's share (an event, an update, an erasure, a replay)
// adds a row to the table of notices in the same transaction. The owner must know of it before it
// hands out a claim, though transactions commit in any order, and though a notification is lost.
//
//	another's transaction ─▶ notices ─▶ TakeNotices: delete them, look at what they are about
//	                                         │
//	                                         ├─▶ Memory: deliveries
//	                                         ├─▶ Memory: subscriptions that were changed
//	                                         └─▶ Unblock: what was behind a delivery that has ended
//
// # Invariants
//
//   - A notice is found because it is there, not by a position, so a transaction may stay open for
//     long. When TakeNotices has returned, memory has all that was committed before it was called.
//   - A transaction of an owner first takes a shared advisory lock with the number of the replica
//     (QueueLock), and looks in a later statement whether the replica is still the owner. A new
//     owner takes that lock exclusively before it reads, so it misses nothing.
//   - If the end of a transaction is not known that only this replica tells memory of, or a notice
//     that is gone could not be applied to the end, memory is in doubt: nothing is claimed until it
//     was brought in line with the database (ownership.Renew).
//
// # Locks
//
// In this order: the slot of the claim that goes on (package claims), that of who renews (package
// ownership), Keyed, Lowering, Memory. All but Memory are held over transactions, which are
// bounded.
package replica
