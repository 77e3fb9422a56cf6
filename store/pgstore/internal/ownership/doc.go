// Package ownership deals the shares of subscriptions to the replicas that are alive.
//
// # Problem
//
// Each subscription must have exactly one replica that decides what is claimed of it. When a
// replica dies, another must go on with its shares within seconds. A replica that was frozen or cut
// off, and comes back, must not undo what the new owner has done.
//
// # Picture
//
//	each second                 Renew: replicas.until = now + 4 s (the lease of all shares)
//	                                   shares.low rises
//	                                   who lives, who has what
//	                            Redeal: all compute the same owners from who lives (Deal)
//	too many shares             Leaving ─▶ nothing leased any more ─▶ Release, tell others
//	shares of a dead replica    Acquire: owner = me, fence + 1 ─▶ commit
//	                            load: lock of the former owner, exclusively ─▶ read ─▶ Install
//
// # Invariants
//
//   - The server's clock says when a lease ends. The replica stops to claim half a second before
//     that, by its own monotonic clock, counted from before it sent the renewal.
//   - The fence of a share rises with each owner. Writes of an owner compare it.
//   - A new owner reads only once it has had the exclusive lock of the former one, after its own
//     taking is committed: what the former owner's transactions wrote it sees, and those that come
//     later see the new owner.
//   - A low mark is raised only by the owner with its fence, and never past a publication under way
//     (package memory).
//
// A replica takes part from its first Claim on, and leaves when it has not claimed for long. The
// slot `tick` is held by who renews or leaves, and is taken before all locks of package replica.
package ownership
