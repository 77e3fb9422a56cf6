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

// The rate that an endpoint allows in the handshake holds, whether its owner may set one or not:
// beside what the owner sets, which can't lift it, and until the endpoint allows another or the URL
// changes.
func TestHandshakeRateHolds(t *testing.T) {
	for name, may := range map[string]dispatcher.OwnerBounds{
		"owners set none": {}, "owners may set one": {Rate: 100},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := shaken(600)
				o.OwnerMay = may
				e := newEngine(t, memstore.New(), o)
				e.answers(shakes(200, allows("30")))
				sub := e.must(e.Subscribe(t.Context(), store.Subscription{URL: ownURL}))
				e.proves(sub.ID)
				is := func(what string, owner, allowed, policy float64) {
					t.Helper()
					got := e.statusOf(sub.ID)
					p, err := e.PolicyOf(got)
					if err != nil || got.Status != store.Subscribed || got.Rate != owner ||
						got.AllowedRate != allowed || p.Rate != policy {
						t.Errorf("%s: got %q with the rates %v and %v, in force %v, %v; want %v, %v and %v",
							what, got.Status, got.Rate, got.AllowedRate, p.Rate, err, owner, allowed, policy)
					}
				}
				is("agreed", 0, 0.5, 0.5)
				e.change(sub.ID, func(s *store.Subscription) { s.Name, s.AllowedRate = "renamed", 90 })
				is("an update that lifts it", 0, 0.5, 0.5)
				e.must(e.Subscribe(t.Context(),
					store.Subscription{ID: sub.ID, URL: ownURL, Name: "replaced", AllowedRate: 90}))
				is("replaced", 0, 0.5, 0.5)
				e.run()
				e.keepsHalfARate(t)
				if may.Rate > 0 {
					setRate := func(rate float64) {
						t.Helper()
						e.change(sub.ID, func(s *store.Subscription) { s.Rate = rate })
					}
					setRate(50)
					is("the owner sets a higher one", 50, 0.5, 0.5)
					setRate(0.25)
					is("the owner sets a lower one", 0.25, 0.5, 0.25)
					setRate(0)
				}
				pass(time.Minute)
				e.answers(shakes(200, allows("120")))
				e.proves(sub.ID)
				is("the endpoint allows more", 0, 2, 2)
				pass(time.Minute)
				e.answers(shakes(200, allows("*")))
				e.proves(sub.ID)
				is("the endpoint allows any number", 0, 0, 0)
				pass(time.Minute)
				e.answers(shakes(200, allows("30")))
				e.proves(sub.ID)
				if got := e.change(sub.ID, func(s *store.Subscription) { s.URL += "?new" }); got.AllowedRate !=
					0 || got.Status != store.Unverified {
					t.Errorf("another URL: got %q with the allowed rate %v, want Unverified with none",
						got.Status, got.AllowedRate)
				}
			})
		})
	}
}

// Requests for proof go by the policy of the subscription: with the credentials of Authenticate,
// and its time.
func TestHandshakeAuthenticates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := shaken(0)
		o.MaxTimeout = time.Minute
		o.Policy = policyOfOwn(dispatcher.Policy{Timeout: 50 * time.Second})
		o.Authenticate = func(
			context.Context, store.Subscription, http.Header,
		) (http.Header, error) {
			return http.Header{"Authorization": {"Bearer token"}}, nil
		}
		e := newEngine(t, memstore.New(), o)
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
