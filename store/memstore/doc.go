// Package memstore is a [store.Store] in memory, for the unit tests of a host and as the model that
// other stores are compared with.
//
// It keeps the whole contract of package store except the disk: fair turns, leases with fencing
// tokens, order within a key, holds, history, retention. What it holds is gone when the process
// ends, so a host that must not lose events uses boltstore or pgstore.
//
//	s := memstore.New()
//	defer s.Close()
//	d, err := dispatcher.New(s, nil)
//
// Begin returns a transaction to publish in (PublishTx of package dispatcher), in place of one of a
// host's database.
//
// Its clock is [time.Now], so that in a bubble of testing/synctest days of retries pass in no time.
//
// It is written to be read: one mutex, plain maps and slices. Claiming costs the same for any
// backlog and history, in the order of the number of claims taken, of subscriptions at their limit,
// and of leases that run. Other things are plain loops, where a store of many events would have an
// index: Enqueue looks at every subscription, a listing reads events until its page is full, Stats
// counts, unsubscribing or deleting a subscription visits each of its deliveries, and erasing an
// event visits each of the event's, all under the one lock.
//
// # How it hangs together
//
// The maps say what there is: subscriptions, events, and the deliveries of each. Which is next is
// decided by store/internal/schedule, which is told of each change of a delivery, and hears of one
// as blocked while an earlier one of its key is pending.
//
//	Store ── the lock, the clock, Ready
//	 └ state
//	    ├ subs, order      subscriptions: by ID, and in the order of their creation
//	    │   └ deliveries   by event; those that are pending by their keys too
//	    ├ log              events: in the order of Enqueue, by tenant, by tenant and ID
//	    ├ queue            what is pending: the schedule, and a count for each tenant
//	    ├ ended            what has finished: by when it did, for Prune
//	    └ tenants          those that are being moved, or were
//
// # Invariants
//
//   - A delivery is in the queue, or in one list of ended, and never in both. It is under its
//     subscription and under its event, and leaves both together.
//   - An event is in the log as long as it has a delivery; Prune, or RemoveTenant, takes out those
//     that have lost their last one otherwise.
//   - What a claim holds (the subscription, its health, a body, an override) is replaced as a whole
//     and never changed in place, so it needs no lock to be read.
//   - Numbers of subscriptions and events come from one sequence, and none is given twice.
package memstore
