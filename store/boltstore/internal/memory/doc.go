// Package memory is what a store knows besides its file: who has something pending, which
// deliveries are leased, the last events, where the watermark is, what is to be purged, and when
// the oldest of what has finished did.
//
// # Problem
//
// Claim must not search the file for what is due, and Publish must not write a record for each
// delivery. So memory lists what is implicitly pending, and keeps the first positions of all else
// as far as its budget allows. It must follow the file exactly: an entry too many is an attempt
// that must not be made, an entry too few a delivery that is never made.
//
//	transaction ── effects ──▶ Memory.Apply ──▶ schedule, ages, recent, watermark, maintenance
//	                                │
//	            PlanSpill, PlanTrim, PlanPurge, PlanWalk ──▶ the next transactions
//
// # Invariants
//
//   - Memory changes by effects alone, applied in the order of their transactions; leases and
//     pauses, which are not in the file, by calls of the schedule.
//   - It has no lock. Its owner calls every method under one mutex, which is never held while a
//     transaction begins, reads or commits.
//   - What the file has and memory does not (rows and chunks beyond the windows) the schedule names
//     as a lack; its owner reads it and hands it over.
package memory
