// Package memory is what one replica knows of its shares: what is pending, which deliveries are
// leased, and how far the low marks may rise.
//
// # Problem
//
// The owner of a share decides alone, without asking the database, which delivery is next. So its
// memory must follow the database exactly: an entry too many is an attempt that must not be made,
// an entry too few a delivery that waits for ever. And it must not grow with the backlog.
//
//	published here   ── Feed ────▶ ┌──────────────────────────────┐
//	outcomes, notices ─ Apply ───▶ │ schedule.Schedule            │ ──▶ leases
//	subscriptions    ── SetState ▶ │   first attempts without row │
//	a share is taken ── Install ─▶ │   windows of those with rows │ ──▶ RisenLows: low marks
//	a share is lost  ── Drop ────▶ └──────────────────────────────┘ ──▶ OldestRowless: to get rows
//
// A share is another's, loading, owned, or leaving. While it is loading, what this replica
// publishes for it waits in the share: the load may or may not have it too.
//
// # Invariants
//
//   - Memory changes after the transaction that changes the database has committed, never before.
//   - A delivery that has no row is pending if its event is above the low mark of its share. So a
//     low mark passes neither one that memory lists without a row nor an event of a publication
//     that is under way.
//   - Nothing of a share that is not owned or leaving is in the schedule, and of a leaving one
//     nothing is leased.
//   - The mutex is held over no call of the database's. It is innermost: its holder takes no lock.
//
// It does no I/O. Times are nanoseconds of the server's clock, passed in.
package memory
