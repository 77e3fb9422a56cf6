// Package txn is one bbolt transaction of a store: it does the domain operations (enqueue, finish,
// cancel, erase, requeue, purge) on the store's buckets, and returns typed effects.
//
// # Problem
//
// Memory follows the file, and the file can change in ways that the store learns of late or never.
// A commit can fail after it has landed. A host can roll back, or commit the next transaction
// before memory has followed the last. So a transaction must not touch memory. It collects what
// memory must learn, and the store applies that once it knows that the transaction has committed.
//
//	      plans, values                     effects, in order
//	memory ────────────▶ Begin … Complete ───────────────────▶ commit ──▶ memory
//	                      │     │    │
//	          base: buckets, time, effects, counted writes
//	          ├ Subs        subscriptions and their health: create, update, delete
//	          ├ IDs         events by their IDs; the index is written behind
//	          ├ Recipients  who gets an event; cached in Writer
//	          ├ Events      the stored events, and their removal
//	          ├ Erasures    erases events, wide ones in steps
//	          ├ Counts      counts of attempts
//	          └ Pending     what is pending, see package pending
//
// # Invariants
//
//   - Nothing here reaches the store or its memory. What must be known of memory comes down as
//     values: [Riders], [Outcome], or an argument.
//   - Effects are in the order in which memory must learn them.
//   - Each put, delete and sequence number is counted, and so is a change that Complete is to
//     write. So [Tx.Try] knows whether a failed operation has left the transaction intact, and
//     [Tx.NeedsCommit] whether there is anything to commit.
//   - [Writer] is what one transaction that writes leaves for the next. It belongs to the holder of
//     the file's write lock, and must do no harm if the transaction comes to nothing.
//   - Complete comes last: what rides on a transaction must see all that its operations wrote.
//
// Tx itself has what is about several kinds of record: enqueue, finish, requeue, what rides along.
//
// A Tx is for one goroutine, and ends with its bbolt transaction.
package txn
