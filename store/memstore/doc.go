// Package memstore is a [store.Store] in memory, for the unit tests of a host and as the model that other stores are
// compared with.
//
// It keeps the whole contract of package store except the disk: fair turns, leases with fencing tokens, order within a
// key, holds, history, retention. What it holds is gone when the process ends, so a host that must not lose events
// uses boltstore or pgstore.
//
//	s := memstore.New()
//	defer s.Close()
//	d, err := dispatcher.New(s, nil)
//
// Its clock is [time.Now], so that in a bubble of testing/synctest days of retries pass in no time.
//
// It is written to be read: one mutex, plain maps, slices and heaps. Claiming costs the same whatever the backlog and
// the history, in the order of the number of claims taken, of subscriptions at their limit, and of leases that run.
// Other things are plain loops, where a store of many events would have an index: Enqueue looks at every subscription,
// a listing reads events until its page is full, Stats counts, unsubscribing or deleting a subscription visits each of its
// deliveries, and erasing an event visits each of the event's, all under the one lock.
//
// # How it hangs together
//
// Each subscription has three heaps of pending deliveries: first attempts by the order of their events, retries that
// are due, and retries that are due later. A delivery is in one of them, or among the leases, or in none while it
// stands behind another of the same key. Subscriptions with something to claim stand in one of three rings, proven, new
// or failing, and Claim goes round them; those that have something to wait for are in a heap by when it comes. After
// each change to a subscription, settle puts it where it belongs.
package memstore
