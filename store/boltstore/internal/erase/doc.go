// Package erase erases events, one or all of a tenant, and finishes erasures that were cut off.
//
// # Problem
//
// What an event carried must be gone when Erase returns, from every reader's view and from every
// record. An event can have very many deliveries, each with a record of its own, and those who
// publish meanwhile must not wait for all of them. So an event that many want is erased in two
// parts.
//
//	one short transaction      removes the event's content, and writes a mark, by which each
//	                           reader takes all its deliveries for erased (pending.Set.Find)
//	small steps                bring the records of the deliveries in line with the mark; the
//	                           last one removes it
//
// # Invariants
//
//   - Erase takes all steps before it returns. If it can't, because its context ends or the process
//     dies, Prune takes the rest; the mark is in the file.
//   - Until its step, a delivery that was pending stays in the counts of pending deliveries, in the
//     indexes and in memory, where Claim passes it over, and those that it blocks in its key stay
//     blocked. So what counts deliveries calls ResumeAll first.
//   - One step is one transaction, of bounded length, and commits with others.
//
// The transactions' half is buckets.Records.Erasures.
package erase
