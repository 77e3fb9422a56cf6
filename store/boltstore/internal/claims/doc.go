// Package claims has what is done with a delivery between being due and having ended: leasing it,
// reading it for its claim, and recording the outcomes of attempts, or giving it back.
//
// # Problem
//
// The schedule in memory says who is next, and the file says what is to be sent. Memory's mutex
// must not be held while the file is read, so between leasing and reading anything may change: a
// delivery ends, is erased, or is put behind another of its key. And leases are in memory alone, so
// a call that fails in between must give them back, or their deliveries wait until they run out.
//
//	Claim:   pause ─▶ lease, loading what the schedule lacks ─▶ read ─▶ hand out
//	                   mutex                         no mutex    mutex
//	Finish:  seal the leases ─▶ one operation with others ─▶ end the leases
//	          mutex              no mutex                     mutex
//
// # Invariants
//
//   - A snapshot is begun after what it is to read was leased, so it has all that was leased but
//     what has ended since.
//   - One claim leases at a time; so none finds the schedule without what another is loading.
//   - A lease whose outcome is on its way is sealed: no Claim takes its delivery again.
//   - A delivery that can't be read dies, or each Claim would find it first.
package claims
