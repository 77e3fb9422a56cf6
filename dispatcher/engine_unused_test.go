package dispatcher_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// plainAllocations is how many allocations Publish and a delivery make together, over memstore and
// a transport that costs nothing, in a host that sets none of the options: 59 with Go 1.26, and 61
// under the race detector, which empties pools at random, and a part of one for tables that grow.
// Two of them are the lists of recipients that filters are asked about before the store's lock.
// More means that something new is on the path of everybody.
const plainAllocations = 62

// TestUnusedFeaturesCostNothing counts the allocations of an event from Publish to the end of its
// delivery, and holds that they are as many beside each feature that neither the event nor its
// subscription uses as in a host without the feature.
func TestUnusedFeaturesCostNothing(t *testing.T) {
	plain := allocationsOfADelivery(t, dispatcher.Options{}, nil)
	t.Logf("%.2f allocations", plain)
	if plain > plainAllocations {
		t.Errorf("an event makes %.2f allocations, want at most %v", plain, plainAllocations)
	}
	others := func(sub store.Subscription) func(*engine) { // of the same tenant, and another type
		return func(e *engine) {
			sub.Events = []string{"invoice.*"}
			if _, err := e.Subscribe(e.t.Context(), sub); err != nil {
				e.t.Fatal(err)
			}
		}
	}
	const url = "https://other.example/hook"
	for _, tt := range []struct {
		feature string
		o       dispatcher.Options
		prepare func(*engine)
	}{
		{"filter and fields", dispatcher.Options{}, others(store.Subscription{URL: url,
			Filter: `{"n":{"$gte":1}}`, Fields: []string{"n"}})},
		{"filter of another tenant", dispatcher.Options{}, others(store.Subscription{URL: url,
			Tenant: "other", Filter: `{"n":{"$gte":1}}`})},
		{"what owners may set", dispatcher.Options{
			OwnerMay: dispatcher.OwnerBounds{Timeout: time.Minute, Rate: 10},
		}, others(store.Subscription{URL: url, Rate: 1, Timeout: time.Second})},
		{"a policy that says nothing", dispatcher.Options{Policy: func(
			store.Subscription) dispatcher.Policy {
			return dispatcher.Policy{}
		}}, nil},
		{"Ed25519", dispatcher.Options{}, others(store.Subscription{URL: url,
			Secrets: []signing.Secret{signing.NewEd25519Secret()}})},
		{"description and metadata", dispatcher.Options{}, others(store.Subscription{URL: url,
			Description: "of the people of billing", Metadata: map[string]string{"team": "billing"}})},
		{"tags and times", dispatcher.Options{}, func(e *engine) {
			others(store.Subscription{URL: url})(e)
			ev, err := events.New("invoice.paid", 1)
			if err != nil {
				e.t.Fatal(err)
			}
			ev.Tags, ev.NotBefore = []string{"vip"}, time.Now().Add(24*time.Hour)
			ev.ExpiresAt = ev.NotBefore.Add(time.Hour)
			if err := e.Publish(e.t.Context(), ev); err != nil {
				e.t.Fatal(err)
			}
		}},
		{"proof", dispatcher.Options{
			Verify: dispatcher.Verification{Method: dispatcher.VerifyChallenge},
		}, others(store.Subscription{URL: url})},
		{"pull", dispatcher.Options{AllowPull: true}, others(store.Subscription{})},
		{"what receivers ask for", dispatcher.Options{ReceiverSteers: true}, nil},
	} {
		t.Run(tt.feature, func(t *testing.T) {
			// The race detector empties pools at random, which makes parts of an allocation.
			if n := allocationsOfADelivery(t, tt.o, tt.prepare); n > plain+0.9 {
				t.Errorf("%.2f allocations beside it, and %.2f in a host without it", n, plain)
			}
		})
	}
}

// allocationsOfADelivery returns how many allocations an event makes until it is delivered, on
// average. prepare may be nil.
func allocationsOfADelivery(
	t *testing.T, o dispatcher.Options, prepare func(*engine),
) (n float64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		delivered := make(chan struct{}, 1)
		o.Transport = okTransport{}
		o.Observer = &dispatcher.Observer{OnDelivered: func(dispatcher.Info) { delivered <- struct{}{} }}
		e := newEngine(t, memstore.New(), &o)
		sub, err := e.Subscribe(t.Context(), store.Subscription{
			URL: usualURL, Events: []string{"order.*"}, Secrets: []signing.Secret{signing.NewSecret()},
		})
		if err != nil {
			t.Fatal(err)
		}
		e.must(e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.Status, s.VerifiedAt = store.Subscribed, time.Now()
			return nil
		}))
		if prepare != nil {
			prepare(e)
		}
		e.run()
		// In a bubble nothing runs beside this; a collection would empty the pools.
		defer debug.SetGCPercent(debug.SetGCPercent(-1))
		const most = 200
		var before, after runtime.MemStats
		for i := range 2 * most {
			if i == most { // by now all pools and tables are there
				synctest.Wait()
				runtime.ReadMemStats(&before)
			}
			e.publish("order.created", 1)
			<-delivered
			synctest.Wait()
		}
		runtime.ReadMemStats(&after)
		n = float64(after.Mallocs-before.Mallocs) / most
	})
	return n
}
