// Package schedule decides which delivery goes next. It is the one home of the rules about turns,
// leases, limits, holds and waiting, for every store that keeps what is due in memory.
//
// # The problem
//
// Thousands of subscriptions have deliveries pending, most of them in a file or a database. A claim
// must find, without reading the backlog, those whose turn it is: in the order of their events
// within a subscription, by turns between subscriptions and between classes of health, and within
// the limits of the request.
//
// # The picture
//
//	          classes      tenants, and Subs with        sources of one subscription
//	          healthy ───▶ something due, by the ──────▶ implicit   first attempts that memory alone lists
//	claim ──▶ new     ───▶ slot time that they           windows    parts of what the store has, in order:
//	          failing ───▶ have used lately                         two of first attempts, one of retries
//	          slow    ───▶
//	                              │
//	                              ▼ Lease (token, until) ──▶ ended by the store, or expired and claimable again
//
// A [Sub] has a turn in its class as long as something of it may be due, and is kept aside with it
// while it, its tenant or its host is at its limit. It is among the sleepers when something will be
// due later, and among the idle when it has nothing.
//
// A window (package order) holds the first positions of an order that the store has in full. When a
// window is empty and there may be more behind it, the schedule can't choose: [Round.Run] stops and
// returns what it lacks. The store loads that without holding its lock, hands it to
// [Schedule.Load], and runs the round again. What changes in between is remembered and applied to
// what was loaded, so the snapshot that it was loaded from may be older or newer than memory.
//
// # What it is not
//
// It is a pure state machine: no I/O, no lock, no clock. The store serializes the calls, and passes
// the time in nanoseconds of its own clock. It knows nothing of event bodies, keys or records: a
// delivery that an earlier one of its key blocks is given to the schedule only when it is free.
//
// # Invariants
//
//   - First attempts of a subscription are leased in the order of their sequence numbers; retries
//     that are due take turns with them, in the order in which they are due. While the breaker is
//     open there is one lease at a time, and it chooses otherwise: see Sub.nextProbe.
//   - A delivery is in one place: a source, or a live lease. A lease that has expired leaves its
//     delivery in a source, and its token stays good until the delivery is leased again.
//   - The number of leases that count, by subscription, tenant, host and class, is never more than
//     the request allowed when the last of them was taken.
//   - Whenever something may have become claimable, or will be sooner than a claim was told,
//     [Schedule.TakeWake] reports it.
//   - The cost of a claim grows with what it takes, and with the logarithm of how many Subs have
//     something due. Those that limits keep back cost nothing: a class without room is not looked
//     at, and a Sub at its limit is looked at once for each lease of it that ends. (Claims with
//     other limits than the last look at all of these again.)
//
// A [Sub] may be forgotten in any call with another one, unless it has something: ask for it by
// [Schedule.Ensure] or [Schedule.Sub] each time.
//
// docs/decisions/schedule.md says why it is so.
package schedule
