// Package effect has what memory learns of a transaction: a list of small typed values, one for
// each thing that the transaction did to what memory knows. They are the whole interface between
// the file and memory.
//
// # Problem
//
// The one that commits learns of it only when the file's write lock is free again. By then a host
// may have begun, and even committed, the next transaction, or rolled one back without telling
// anybody. So what memory must learn waits in a list, and is applied or dropped as a whole.
//
//	package txn ── Log ──▶ commit ──▶ package memory
//
// # Invariants
//
//   - An effect is a value: it refers to nothing that the transaction or its maker changes later.
//   - Effects are applied in the order of the list, and lists in the order of their transactions.
//     Some say how things are and not how they changed, so the last one counts.
//   - Memory panics at an effect that it does not know: it would miss it for ever.
package effect
