package dispatcher_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// The rate that an endpoint allows in the handshake holds, whether its owner may set one or not,
// and stays when the owner replaces the subscription without one.
func TestHandshakeRateHolds(t *testing.T) {
	for name, may := range map[string]dispatcher.OwnerBounds{
		"owners set none": {}, "owners may set one": {Rate: 100},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t, memstore.New(), &dispatcher.Options{
					Verify: dispatcher.Verification{
						Method: dispatcher.VerifyHandshake, Origin: "events.example.com", Rate: 600,
					},
					OwnerMay: may,
				})
				e.answers(func(r request) reply {
					if isChallenge(r) {
						return reply{Status: 200, Header: http.Header{
							"Webhook-Allowed-Origin": {"*"}, "Webhook-Allowed-Rate": {"30"}}}
					}
					return reply{Status: 200}
				})
				sub, err := e.Subscribe(t.Context(), store.Subscription{URL: ownURL})
				if err != nil {
					t.Fatal(err)
				}
				if a, err := e.Verify(t.Context(), sub.ID); err != nil || a.Error != "" {
					t.Fatalf("Verify: got %+v, %v", a, err)
				}
				if _, err := e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
					s.Name = "renamed"
					return nil
				}); err != nil {
					t.Errorf("an update that leaves the rate: got %v", err)
				}
				if _, err := e.Subscribe(t.Context(),
					store.Subscription{ID: sub.ID, URL: ownURL, Name: "replaced"}); err != nil {
					t.Fatal(err)
				}
				if got := e.statusOf(sub.ID); got.Rate != 0.5 || got.Status != store.Subscribed {
					t.Errorf("replaced: got %q with the rate %v, want Subscribed with 0.5", got.Status,
						got.Rate)
				}
				if p, err := e.PolicyOf(e.statusOf(sub.ID)); err != nil || p.Rate != 0.5 {
					t.Errorf("the policy has the rate %v, %v; want 0.5", p.Rate, err)
				}
				e.run()
				before := len(e.seen(""))
				for i := range 20 {
					e.publish("order.created", i)
				}
				pass(10*time.Second + 100*time.Millisecond)
				rs := e.seen("")[before:]
				checkRate(t, rs, 0.5, 1, 0)
				if len(rs) < 5 {
					t.Errorf("%d requests in ten seconds, want one every two", len(rs))
				}
			})
		})
	}
}

// Requests for proof go by the policy of the subscription: with the credentials of Authenticate,
// and its time.
func TestHandshakeAuthenticates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(), &dispatcher.Options{
			Verify: dispatcher.Verification{
				Method: dispatcher.VerifyHandshake, Origin: "events.example.com",
			},
			MaxTimeout: time.Minute,
			Policy: func(store.Subscription) dispatcher.Policy {
				return dispatcher.Policy{Timeout: 50 * time.Second}
			},
			Authenticate: func(
				context.Context, store.Subscription, http.Header,
			) (http.Header, error) {
				return http.Header{"Authorization": {"Bearer token"}}, nil
			},
		})
		status := 401
		e.answers(func(r request) reply {
			return reply{Status: status, Delay: 40 * time.Second,
				Header: http.Header{"Webhook-Allowed-Origin": {"*"}}}
		})
		sub, err := e.Subscribe(t.Context(), store.Subscription{URL: ownURL})
		if err != nil {
			t.Fatal(err)
		}
		if a, err := e.Verify(t.Context(), sub.ID); err != nil || a.Status != 401 {
			t.Errorf("refused: got %+v, %v, want the 401", a, err)
		}
		status = 200
		if a, err := e.Verify(t.Context(), sub.ID); err != nil || a.Error != "" {
			t.Errorf("got %+v, %v, want a proof", a, err)
		}
		all := e.seen("")
		for _, r := range all {
			if r.Method != http.MethodOptions || r.Header.Get("Authorization") != "Bearer token" {
				t.Errorf("got %s with %v, want an OPTIONS with the credentials", r.Method, r.Header)
			}
		}
		if len(all) != 2 {
			t.Errorf("%d requests, want 2", len(all))
		}
	})
}
