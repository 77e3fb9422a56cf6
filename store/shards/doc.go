// Package shards is a [store.Store] over several stores, so that one dispatcher, one API and one
// console serve tenants that are dealt to several files or databases:
//
//	s, err := shards.New(func(tenant string) int {
//		return int(crc32.ChecksumIEEE([]byte(tenant)) % 2)
//	}, first, second)
//	…
//	d, err := dispatcher.New(s, nil)
//
// # The problem
//
// One database has a limit, and is one thing that can fail. Tenants share nothing, so they can be
// dealt to several. But what goes over all of them, a Claim or a listing, must not be as slow as
// the slowest store, nor fail with the first that fails.
//
// # The picture
//
//	call ──▶ Store ─┬ tenant known: Enqueue, CreateSubscription, its listings ─▶ its store
//	                ├ ID known:     looked up once, remembered ─▶ its store
//	                ├ lease known:  Finish, Release ─▶ its store
//	                ├ all tenants:  Stats, Prune, listings ─▶ every store, at once
//	                └ Claim ─▶ every store, one goroutine each ─┐
//	     claims ◀── turns, shared limits ◀──────────────────────┘ late answers: the next Claim
//
// # What holds
//
//   - A tenant is in one store: its subscriptions, events, order, limits. Events of one Enqueue
//     that are of tenants in several stores are stored by each store as a whole; after an error,
//     some stores may have theirs. Trying again is safe, as always.
//
//   - Claim takes from the stores by turns, one share each; what one leaves, others get. Within a
//     store the turns of classes, tenants and subscriptions are those of the contract. Max,
//     MaxUnhealthy, MaxFailing and PerHost hold over all stores together, the other limits are of
//     one tenant or subscription anyway.
//
//   - A store that is slow delays nobody else: Claim waits for it once, for 5 ms, and from then on
//     hands out what it yields when it comes. A late claim has at least 7/8 of its lease left and
//     nothing of its subscription has changed since; otherwise it is given back.
//
//   - A store that fails takes only its tenants with it. Their calls, and those that go over all
//     stores, return an [Error] that names it. Claim goes on with the others, says so in
//     [store.ClaimResult.Trouble], which a dispatcher passes on to Observer.OnStoreTrouble, and
//     asks again after 50 ms, then at delays that double to 5 s. Outcomes of its claims are kept
//     and recorded when it is back; their Result is Ignored. Prune goes on with the others. Claim
//     returns an error if all stores fail.
//
//   - The ID of a subscription that another store has is refused ([store.ErrConflict]), unless that
//     store does not answer within 100 ms: take random IDs, as a dispatcher does.
//
//   - Listings of all tenants are merged: subscriptions by when they were created, deliveries by
//     when their event was enqueued. If these are equal, it is the store's order and then the
//     stores'.
//
//   - A tenant that is being moved is closed in one store and not yet open in the other: never is
//     it open in two. Which tenants are not where the host's function says is kept in the stores,
//     so anybody who opens the same stores knows, and the function need not change.
//
//   - A host publishes in a transaction of the store that has the tenant ([Store.Tx]); in one of
//     another store, its events are refused.
//
// With a single store, everything but Move is passed on as it is.
//
// # Which store a call goes to
//
// A call with a tenant goes to the store that pick names, unless that one says that the tenant has
// moved (file home.go). One with the ID of a subscription goes to where it was seen last, and if
// nothing is known of it, all stores are asked at once (locations.go). One with a lease goes to the
// store that the claim came from (package internal/claims).
//
// None of this is trusted. A store checks in its own transaction whether it has the tenant, and
// says [store.ErrMoved] if not; then what was known is forgotten, and the call looks again. So two
// processes can share the stores, and neither need tell the other of a Move.
//
// Calls that go over all stores run at once, each in a goroutine of its own, and end with their
// context although a store may hang (package internal/calls). Outcomes wait for their store in
// package internal/recorder, listings are merged in package internal/listing.
//
// # How a tenant moves
//
//	      publishers go on     │ closed: calls wait, MovingError   │ open there
//	store 0  settled ──drain───┤ leaving ──────────────────────────┤─ removed ─▶ gone to 1
//	store 1  arriving from 0 ──┤ ─── wiped, copied ────▶ settled ◀─┘
//
// Each state is on disk before the next step, in this order. So anybody who finds the tenant
// leaving the one and arriving in the other knows that it has not moved, and leaving the one and
// settled in the other that it has.
//
// Package sealed goes around this one, not inside: sealed.New(shards, keys…).
package shards
