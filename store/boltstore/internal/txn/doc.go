// Package txn is one bbolt transaction of a store: it does the domain operations (enqueue, finish,
// requeue, purge) on the records of package buckets, and returns typed effects.
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
//	                       │
//	          Tx: operations on several kinds of records
//	           └ buckets.Records: each kind of record, with its indexes
//
// # Invariants
//
//   - Nothing here reaches the store or its memory. What must be known of memory comes down as
//     values: [Riders], [Outcome], or an argument.
//   - Effects are in the order in which memory must learn them.
//   - An operation checks everything before it writes, as far as it can: so one that fails leaves
//     the transaction to those that share it.
//   - Complete comes last: what rides on a transaction must see all that its operations wrote.
//
// An operation on one kind of record is a method of that kind, in package buckets. A Tx is for one
// goroutine, and ends with its bbolt transaction.
package txn
