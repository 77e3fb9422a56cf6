// Package claims hands out deliveries: it has the schedule choose what is due of this replica's
// shares, reads it, and gives up what turns out not to be claimable.
//
// # Picture
//
//	one at a time ─▶ Join, pauses
//	              ─▶ choose: memory leases; what it lacks is loaded
//	              ─▶ read: notices? and the deliveries, in one snapshot that begins after the choice
//	              ─▶ take notices, if there are some
//	              ─▶ still the owner? hand out, or give up and go again
//	                    blocked by its key ──────▶ park: a row that says so
//	                    a probe, key without row ▶ arrange: rows for all of the subscription
//	              ─▶ after the last go: what is still good is returned
//
// # Invariants
//
//   - What is handed out was read after it was leased, and after every change that was committed
//     before the Claim began: the snapshot shows it, or the notices do.
//   - Nothing is handed out once the replica's own lease may have run out, or memory is in doubt: it
//     looks after the last round trip.
//   - What another goroutine has taken of notices is in memory, or the claim waits for that.
//   - Of two deliveries with one key, the later is not handed out while the earlier is pending,
//     with a row (the database says so) or without (the leases do: a first attempt without a row is
//     leased in the order of events).
//   - A lease begins when its claim is handed out, however long that took since it was chosen.
//   - If anything fails, what was leased and not handed out is given up: nobody would finish it.
//   - A claim is the only one that chooses, so it finds the schedule as it left it.
package claims
