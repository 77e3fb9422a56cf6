// Package dispatchertest helps a host's unit tests: a running [dispatcher.Dispatcher] on a store in
// memory, and a [Receiver] in place of the customers' endpoints, which checks every signature and
// records what arrives.
//
//	func TestOrderSendsWebhook(t *testing.T) {
//		d, r := dispatchertest.New(t, nil)
//		r.Subscribe("order.created")
//		if err := (shop{d}).order(t.Context(), "tea"); err != nil {
//			t.Fatal(err)
//		}
//		if got := r.Next(); string(got.Payload) != `{"item":"tea"}` {
//			t.Errorf("got %s, want the tea", got.Payload)
//		}
//	}
//
// # Answers
//
// The Receiver answers 200, until Answer, Always or Handle says otherwise: its own for all
// endpoints, those of an [Endpoint], which Subscribe returns, for that one. SubscribeFor is for a
// host with tenants, SubscribeWith for a subscription with a filter, headers and so on.
//
// # Time
//
// Nothing touches the network, so all of it also works in a testing/synctest bubble, where the days
// of a retry schedule pass in no time:
//
//	func TestRetryTomorrow(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			tomorrow := dispatcher.Backoff{Initial: 24 * time.Hour, Jitter: -1}
//			d, r := dispatchertest.New(t, &dispatcher.Options{Backoff: tomorrow})
//			r.Subscribe().Answer(500)
//			if err := (shop{d}).order(t.Context(), "tea"); err != nil {
//				t.Fatal(err)
//			}
//			first, second := r.Next(), r.Next()
//			if wait := second.At.Sub(first.At); wait != 24*time.Hour || second.ID != first.ID {
//				t.Errorf("%s came again as %s after %v, want a day", first.ID, second.ID, wait)
//			}
//		})
//	}
//
// # Transactions
//
// A host that publishes in its own transactions gives [NewOn] the store that it really has. On a
// file this works in a bubble too; a retry then comes some milliseconds later than its delay, which
// is how long a file takes to record an attempt, so compare times with a margin. WaitIdle and All
// show what was not sent:
//
//	func TestDeclinedOrderSendsNothing(t *testing.T) {
//		m, r := newMarket(t, nil) // NewOn(t, store, nil) is in it
//		acme := r.SubscribeFor("acme", "order.*")
//		declined := func() error { return errDeclined }
//		if err := m.place(t.Context(), "acme", "tea", declined); !errors.Is(err, errDeclined) {
//			t.Fatalf("got error %v, want that the card was declined", err)
//		}
//		r.WaitIdle()
//		if got := acme.All(); len(got) != 0 {
//			t.Errorf("got %v, want nothing", got)
//		}
//	}
//
// host_test.go beside this file has these tests and more, with the hosts that they test.
package dispatchertest
