// Package tenants moves a tenant out of the database and into it, while all replicas go on: it
// keeps which tenants are closed, and reads and writes what there is of one.
//
// # Problem
//
// Nothing of a tenant may change in one database while it is copied to another. Any replica may
// publish for it at that moment, a replica that owns its subscriptions may be claiming, and a host
// may have published for it in a transaction that is still open. And none of them may pay for it
// while no tenant moves.
//
//	SetState ─▶ unsettled_tenants ─ commit ─▶ who looks from now on is refused
//	         ─▶ who has looked before ─ their locks ─▶ waits until they have ended
//	         ─▶ notices, closing_subscriptions ─▶ owners: claim no more, and say when no lease is left
//
// # Invariants
//
//   - A transaction that would change something of a tenant takes a shared advisory lock, and looks
//     in a later statement whether the tenant is settled. So it sees that the tenant is closed, or
//     SetState sees its lock. SetState takes no lock, so that nobody waits behind it.
//   - A transaction of a host takes a lock of the tenant's alone. One with an older snapshot looks
//     at a sequence too, which has no snapshots.
//   - The owner of a subscription learns by a notice that its tenant is closed, as it learns of an
//     update, and so before any Claim that begins after SetState has returned.
//   - A part of a tenant is stored in one transaction, with a row for each delivery. An event that
//     is there is left alone, with its deliveries.
package tenants
