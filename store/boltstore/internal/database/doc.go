// Package database is the open file of a store with the memory that follows it: how a transaction
// begins and ends, who shares one that writes, what happens when a commit fails, and when memory
// learns of it.
//
// # Problem
//
// The state is in two places, the file and memory, and three parties change the file: callers, who
// share commits; the store itself, whose upkeep rides on those; and the host, in a database of its
// own, whose transactions begin and end without the store. Memory must never have what the file
// lacks, must learn of every change in the order in which it was written, and must not be locked
// while somebody waits for the disk or for the host.
//
//	Read ───▶ a transaction that reads ◀── bbolt ──▶ one that writes ◀─── Write, Submit: shared
//	                                                     │        ◀────── InHostTx: the host's
//	                                                  effects
//	                                                     ▼
//	                      Lock … Unlock ───▶ Memory, Ready
//
// # Invariants
//
//   - Effects are applied to Memory under its mutex in the order of the transactions' numbers, by
//     the first of two: the one that committed, or the next that writes (state.go).
//   - Lock order: the file's write transaction, then the mutex, then the beginning of a read. A
//     transaction that reads never takes the mutex, for a commit that must grow the file waits
//     until all of those have ended. The mutex is held over no commit and no reading.
//   - What a transaction reads is newer than what Memory had when it began, never older.
//   - What rides on a commit (chunks, counts, the clock) is planned in the transaction, when all of
//     its operations have run.
//
// A [DB] is safe for concurrent use. Its parts, a type each: reader (the file, the clock,
// transactions that read), state (Memory and its mutex), commits (the way of all that writes),
// attemptCounts (the counts of attempts, which ride along).
package database
