// Package outcomes records what attempts have come to, and tells memory what that changes.
//
// # Picture
//
//	Finish ─▶ seal the leases ─▶ joined with others ─▶ sort
//	                                                    ├ simple: one statement inserts their rows
//	                                                    └ the rest: lock and read, decide, write
//	                                                                         └▶ memory, counts
//
// An outcome is simple if it is a first attempt that has succeeded, without a key, and leaves the
// subscription's health as it is. That is nearly all of them. One that the statement finds
// otherwise (canceled, erased, taken over) it leaves, and it goes the way of the rest.
//
// # Invariants
//
//   - A lease is sealed while its outcome is on its way, so it does not run out. It is unsealed if
//     nothing was recorded, and ended if something was, or if the outcome was ignored.
//   - A token is present if this replica has the lease, still owns the share with the fence of that
//     time, and the delivery is as it was claimed. Any other failure is ignored. A success counts
//     if the delivery is pending or canceled.
//   - Each outcome decides by the health that those of its subscription before it leave. If one of
//     them changes more of it than its latency, none of them is simple.
//   - What ends or frees deliveries holds Keyed over its transaction (package replica).
package outcomes
