// Package claims makes one Claim of those of several stores, for package shards: by turns, within
// limits that the stores share, and no slower than its quick stores.
//
// # The problem
//
// A dispatcher asks once and gets what is due in all stores. Each store sees its own deliveries
// alone, so somebody must share among them what the request allows: Max, what may be unhealthy or
// failing, and what may go to one host. And any store can be slow, hang or fail at any time, while
// the next Claim is not to wait for it.
//
// # The picture
//
//	Claim ─▶ round:  collect ──▶ count ──▶ step ──▶ step … ──▶ give back ──▶ result
//	           what came late  only near     each asks stores      what may not
//	           is handed out   a limit       for their shares      be handed out
//	                 ▲                           │
//	store ─▶ claimer: held ◀── answer ◀──────────┘ one call at a time, in a goroutine
//
// A [Claims] has a claimer for each store, which outlives the rounds: it knows the call that is
// under way, what came too late for the round that asked, when the store is to be asked again, and
// that it had nothing.
//
// # What holds
//
//   - One round runs at a time. All of a claimer but what mu guards is that round's, so it needs no
//     lock, and a goroutine that calls a store only sends its answer.
//
//   - A store has one call of Claim under way at most. So a store that hangs costs one goroutine.
//
//   - A round waits for a store that was quick until now, for 5 ms. One that it has waited for in
//     vain is slow: it is asked and not waited for, until it has answered in time once.
//
//   - Every claim that a store has made is handed out or given back. What came late is handed out
//     by a later round, if at least 7/8 of its lease are left and nothing of its subscription has
//     changed ([Claims.Changed]).
//
//   - What is leased of a limit that the stores share, never exceeds it: while a store may be
//     leasing something, that counts as leased, and a store is told that what the others have or
//     may lease is leased elsewhere (store.ClaimRequest.Elsewhere).
//
//   - Each step of a round yields something or spends a store, so a round ends.
//
// The package does not know which store has a tenant; it is told where a subscription is, and tells
// where it has seen one.
package claims
