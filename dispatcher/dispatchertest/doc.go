// Package dispatchertest helps a host's unit tests: a running [dispatcher.Dispatcher] on a store in
// memory, and a [Receiver] in place of the customers' endpoints, which checks every signature and
// records what arrives.
//
//	func TestOrderSendsWebhook(t *testing.T) {
//		d, r := dispatchertest.New(t, nil)
//		r.Subscribe("order.created")
//		shop := NewShop(d)
//		shop.Order("tea")
//		got := r.Next()
//		if got.Type != "order.created" || string(got.Payload) != `{"item":"tea"}` {
//			t.Errorf("got %s %s", got.Type, got.Payload)
//		}
//	}
//
// The Receiver answers 200, until Answer or Always says otherwise: its own for all endpoints, those
// of an [Endpoint], which Subscribe returns, for that one. SubscribeFor is for a host with tenants.
// A host that publishes in its own transactions gives NewOn the store that it really has. The
// package's examples show each.
//
// Nothing touches the network, so all of it also works in a testing/synctest bubble, where the days
// of a retry schedule pass in no time.
package dispatchertest
