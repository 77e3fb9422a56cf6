// Package schema is the tables of the store in PostgreSQL: their migrations, the statements over
// them, and the names of what the store has in the database.
//
// Several stores can share a database, each in a schema of its own. The embedded files say
// "outhook." where the name of the schema goes, and everything that is not in a schema (advisory
// locks, the notification channel) has a name that is derived from it.
//
// # Invariants
//
//   - A migration that was released is never edited. Version n is the n-th file.
//   - All migrations of a call are one transaction, and one replica at a time makes them.
//   - A statement is one file, with its reason and its parameters above it.
//   - Rows are locked in one order, so that no two transactions wait for each other: shares by
//     their numbers; of a subscription its health, and then deliveries; deliveries by subscription
//     and event. Who inserts deliveries and also changes others can't keep it, and tries again
//     (sqltx.Retry).
//
// # What recurs in the statements
//
//   - sub % 64 is the share of a subscription (memory.Shares).
//   - coalesce(d.stamp, e.seq) < s.canceled_to: the delivery became pending before its subscription
//     was unsubscribed, and so is canceled, whether or not its row says so.
//   - d.seq IS NULL AND e.seq > h.low: pending without a row.
//   - CROSS JOIN LATERAL (SELECT … OFFSET 0): the subquery is not merged into the join, so each
//     row is looked up by its index, in the order in which it is written.
//   - MATERIALIZED keeps a part from being computed again for each of those that use it.
//   - state = 0 AND NOT behind, or state = 0 AND key IS NOT NULL: as the partial indexes say it,
//     or else the planner does not use them.
//   - All parts of a WITH see the tables as they were before the statement. What one has written
//     another learns by RETURNING only.
package schema
