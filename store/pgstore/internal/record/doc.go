// Package record says how Go values are stored in PostgreSQL: attempts, answers, health and
// subscriptions, times and numbers at the edge of what columns hold. It is pure: no I/O, no lock.
//
// # Invariants
//
//   - Every value that a caller can give is stored or refused, never cut in silence: text without
//     NUL, times within PostgreSQL's and Go's ranges, durations that do not overflow.
//   - What is read is what was written, to the microsecond.
//   - Bytes that are damaged are store.ErrCorrupt, never a panic.
package record
