// Package groupcommit lets many writers share one commit. It knows neither the storage below nor
// what the operations are about.
//
// # The problem
//
// A commit costs a sync of the disk, whether it carries one operation or a hundred, and storage
// that has one transaction that writes makes them wait for one another. So operations that arrive
// while a commit is on its way share the next one. There is no timer for it: an operation that
// arrives alone is committed at once.
//
//	callers      Submit   Submit   Submit           Submit (deferred)
//	                │        │        │                │
//	              ┌─▼────────▼────────▼────────────────▼──────┐
//	              │ waiting, in order of arrival              │──► a context ends: taken out,
//	              └─────────────────────┬─────────────────────┘    never done
//	committer     begin ─────────────► take ─► do each ─► commit ─► effects, Ended ─► wake all
//	              may block, for as                │
//	              long as others write             └ one fails after it has written: roll back,
//	                                                 do the others again without it
//
// One goroutine, the committer, commits. It ends a second after there was something to commit, so a
// group that nobody uses costs nothing and needs no Close.
//
// Who is the committer depends on Config.Exclusive. If others use the storage too, a caller never
// touches it: beginning a transaction can block for as long as they like, and the caller must be
// able to leave. So the committer is a goroutine of its own. If nobody else uses the storage, a
// caller that finds no committer is the committer itself, for one transaction: handing over and
// being woken again would cost it a tenth of a commit. What is due then is committed by a goroutine
// of its own.
//
// # Invariants
//
//   - An operation is in one of four states: waiting, taken, abandoned (taken, and its caller has
//     left), ended. Group.mu guards the state. Only an operation that waits can be taken out, and
//     then it is never done.
//   - A batch is taken after its transaction has begun, not before. Until then everybody can leave,
//     and those that arrive while the committer is blocked still join.
//   - Each operation ends exactly once, and its effect is in at most one transaction that is
//     committed: it is done again only after a transaction that was rolled back.
//   - Operations are done in the order in which they arrived. Deferred ones may let others go
//     first.
//   - A deferred operation is committed by the first commit that begins MaxDelay after its arrival,
//     or an earlier one.
//   - The effects of a transaction and the ends of its operations are one critical section of
//     Config.Mu, so no reader of the memory that they change sees half of them.
//   - Lock order: the storage's transaction, then Config.Mu. Group.mu is innermost and is held over
//     no callback.
package groupcommit
