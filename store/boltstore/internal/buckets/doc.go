// Package buckets is a store's part of the bbolt file as one transaction sees and changes it: for
// each kind of record one type that keeps the record, its indexes and its counts together.
//
// # Problem
//
// A record is in several buckets: a subscription is found by its number, its ID, its tenant and
// each of its patterns. An index that misses a change is noticed late, or never. So each kind of
// record is written by one type alone, and what writes several kinds, in package txn, need not know
// of indexes.
//
//	package txn: enqueue, finish, requeue, purge, what rides along
//	   │
//	Records ── base        the buckets, the time, the effects, how much was written
//	   ├ Subs               subscriptions and their health: create, update, delete
//	   ├ Recipients         who gets an event, by patterns; cached in Writer
//	   ├ Events, IDs        the stored events; the index of their IDs is written behind
//	   ├ Erasures           erases events; an event that many want in steps
//	   ├ Counts             counts of attempts
//	   └ Pending            what is pending, see package pending
//
// # Invariants
//
//   - Nothing here reaches the store or its memory. What memory must learn is an effect in Log, in
//     the order of the writes.
//   - Each put, delete and sequence number is counted, and so is a change that is to be written at
//     the end of the transaction. So [base.Try] knows whether a failed operation has left the
//     transaction intact, and [base.NeedsCommit] whether there is anything to commit.
//   - [Writer] is what one transaction that writes leaves for the next. It belongs to the holder of
//     the file's write lock, and must do no harm if the transaction comes to nothing.
//   - What changes anything of a tenant checks in the same transaction that the tenant is
//     not closed (CheckTenant).
//
// names.go has the layout of the file. Records are for one goroutine, and end with their bbolt
// transaction.
package buckets
