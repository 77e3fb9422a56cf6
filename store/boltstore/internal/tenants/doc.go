// Package tenants moves tenants out of a store and into it, while its host runs: see
// store.TenantMover, whose methods a [Mover] has, and package shards, which calls them.
//
// # Problem
//
// A tenant is in many records, and while it is copied nothing of it may change. So it has a state,
// and a closed one refuses what would change anything of it, in the same transaction
// (buckets.Records.CheckTenant). A part is exported in short reads, and imported by one commit;
// each part may come twice, after a crash.
//
//	store A: closed ─▶ ExportTenant: subscriptions, then events with their deliveries
//	store B: closed ─▶ ImportTenant, part by part; what is there already stays
//	then             ─▶ B settled, A gone ─▶ RemoveTenant, in steps; Prune removes the records
//
// # Invariants
//
//   - Deliveries that are imported have a row each, as most have a history. They come after all
//     events that the store has, in the order in which they were enqueued.
//   - An event whose deliveries are all gone does not move, and does not keep its ID from an event
//     that comes back.
package tenants
