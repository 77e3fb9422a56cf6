// Package storetest is the contract of package store as executable rules, for any store.
//
// A store passes when [Run] finds no rule broken:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store {
//			s, err := mystore.Open(filepath.Join(t.TempDir(), "events"))
//			if err != nil {
//				t.Fatal(err)
//			}
//			return s
//		})
//	}
//
// # Rules
//
// Each rule is a sentence of the contract with a test of its own, run on a store of its own, so
// -run picks one: TestStore/claim/expiry. A violation says what was seen and ends with the sentence
// that it breaks. Rules look at a store through its methods only. They leave to it what the
// contract leaves to it, such as which subscription comes first, what a cursor looks like, and when
// the records of a deleted subscription go.
//
// # Comparison
//
// After the rules, sequences of random operations are done on the store and on a memstore side by
// side, and what both return and show is compared after each. The operations of a sequence depend
// on its number alone. A failure shows the operations that led to it.
//
// # Time
//
// Run works in bubbles of testing/synctest, where days pass in no time. For that the store must
// live in this process, take the time from package time, and wait for nothing but timers, channels
// and files. A store whose clock is elsewhere sets [Suite.RealTime]: the same rules then wait for
// short times to pass, and check nothing that a slow machine could spoil.
//
// # Restarts
//
// A store that keeps anything sets [Suite.Reopen]. Rules then see that what was stored is there
// after a restart, and the comparison restarts the store in between. A store may keep leases over a
// restart or drop them.
//
// # Transactions of the host's
//
// A store that enqueues in host transactions sets [Suite.Begin]. Rules and the comparison
// then have some that commit late or are rolled back, and see that nobody waits for one longer than
// a context lasts.
//
// # Time that a call takes
//
// Each call is watched, from outside the bubble: one that takes longer than [Suite.Bound] ends the
// process, with its name, that of the rule and what every goroutine is at. [Suite.Sizes] does the
// same with what is just above the numbers that stores count in.
//
// # Benchmarks
//
// [Bench] runs the same benchmarks on any store.
package storetest
