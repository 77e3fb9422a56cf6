// Package engine delivers: it claims deliveries that are due, has their attempts made, and records
// what follows from each.
//
// # The problem
//
// Attempts are slow and the store is fast, but each of its commits costs a sync of the disk. So
// many attempts run at once, their outcomes are written together, and nobody waits for anybody: one
// endpoint that hangs holds one slot. Meanwhile subscriptions change, the store may fail, functions
// of the host may panic or never return, and the process may be told to stop.
//
//	             ┌────────────── a slot is free, the store has something due ◀──────────┐
//	             ▼                                                                      │
//	claimLoop: tickets.begin ─▶ store.Claim ─▶ screen ─▶ tickets.issue                  │
//	(Run's goroutine)            ▲ pauses        │            │                         │
//	                             └───────────────┤ postponed  ▼                         │
//	                             store.Release ◀─┘   worker: tickets.admit ── invalid ─▶ store.Release
//	                                                    │ (up to Concurrency of them)   ▲
//	                                                    ▼                               │
//	                                         send.Filter, send.Send ── cut off ─────────┘
//	                                                    │
//	                                                    ▼
//	                                                outcomeOf (pure)
//	                                                    │
//	recordLoop:  gather ─▶ store.Finish ◀── channel ────┘
//	                           │
//	                           └─▶ afterOutcome: tell the Listener, disable, operational events
//
//	maintenance: store.Prune, each minute and after an unsubscription
//
// # Invariants
//
//   - A slot is held before store.Claim is called, and until the outcome of its claim has been
//     handed over or the claim released. So at most Concurrency claims are in this process.
//   - Once [Engine.Invalidate] has returned, no attempt starts of a claim that is older than the
//     change; see tickets.
//   - A slow function of the host is in the way of its own subscription alone, up to
//     PerSubscription of it.
//   - Every claim ends in exactly one call of store.Finish or store.Release, unless the process
//     dies or the store is given up on.
//   - outcomeOf does no I/O. What the Listener is told has been stored.
//   - The store is called again, ever more slowly, while it is in trouble; its panics are errors.
//   - Run returns when every goroutine that it started has ended.
//
// # Locks
//
// tickets has the only mutex of a run. It is held over neither calls nor channels.
package engine
