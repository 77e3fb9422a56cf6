// Package publish stores events with their recipients, and tells who owns the shares of these.
//
// # Picture
//
//	Enqueue ─▶ joined with others ─▶ one transaction ─▶ commit ─▶ memory: first attempts without rows
//	               │                                                └▶ other owners: notices, NOTIFY
//	               ├ together it fails for one of them ─▶ a transaction each
//	               └ it waits for a host's open transaction ─▶ alone, so that nobody waits with it
//
//	InTx: the same statement in a transaction of the host's, with notices for all owners
//
// # Invariants
//
//   - An event is stored with the list of its recipients, in one statement. A recipient whose share
//     is another replica's gets a notice in the same statement. A first attempt for this replica's
//     own shares is written nowhere else: memory learns of it after the commit.
//   - From before such a transaction begins until its effect is known, no low mark passes its
//     events (memory.Publication). If the answer to the commit is lost, the replica takes its own
//     lock exclusively, by which the transaction has ended, and looks what was stored.
//   - The statement stores nothing, and is tried again, if it finds filters that were not asked, or
//     an ID that is free. It says the first alone while there is any: an event is removed for an ID
//     only by who has asked all filters.
//   - A caller gets the error that it would have got alone.
package publish
