// Package sqltx runs short, bounded transactions on PostgreSQL. It knows nothing of webhooks.
//
// # Problem
//
// A server that hangs, a cut network, or a host that is stopped in the middle of a call must end no
// call late and hold no lock for long. And what a database or a user has set for others (isolation,
// timeouts, planner switches) must not change what a transaction here does.
//
// # Picture
//
//	DB.Write ─▶ connection of the pool ─▶ BEGIN  settings  statement  statement  COMMIT
//	   │                                  └ one round trip; each ends with a Sync, so a server that
//	   │                                    waits for the next is idle in transaction, and gives up
//	   └ ends: Grace after the caller's context, when the DB is cut off, or when Limit has passed
//
// A [Batch] collects statements and what reads their results. [DB.Write] and [DB.Read] send it as
// one transaction; [DB.WriteAfter] sends one in two round trips, for writes that depend on what was
// read.
//
// # Invariants
//
//   - Each transaction says its isolation level, access mode, timeouts and planner switches.
//   - Every call returns: see [DB.Bound] for when.
//   - A connection that may still be in a transaction, or whose prepared statements are in doubt,
//     is closed, and never goes back to the pool.
//   - The first error is returned. The transaction is rolled back then, unless the error is one of
//     the connection: then it may have committed, which [State] shows by being empty.
package sqltx
