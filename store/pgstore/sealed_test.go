package pgstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/sealed"
	"github.com/outhook/outhook/store/storetest"
)

// closing is a sealed store that closes the one inside.
type closing struct {
	*sealed.Store
	inner *pgstore.Store
}

func (c closing) Close() error { return c.inner.Close() }

// seal returns a sealed store around inner, with a key of its own.
func seal(t *testing.T, inner *pgstore.Store) closing {
	t.Helper()
	s, err := sealed.New(inner, sealed.Key{ID: "k", Secret: sealed.NewSecret()})
	if err != nil {
		t.Fatal(err)
	}
	return closing{s, inner}
}

// TestSealedStore checks the rules of the contract where secrets and header values are encrypted on
// the way here.
func TestSealedStore(t *testing.T) {
	leaveToFull(t) // package sealed does the same on other stores
	needServer(t)
	storetest.Suite{RealTime: true, Parallel: true, Seals: true, Open: func(t *testing.T) store.Store {
		return seal(t, newStore(t))
	}}.Rules(t)
}

// TestSealedLeavesNoRow checks that secrets and header values that were sealed are in no row of any
// table, after a life of a subscription: it is created, sent to, with a success and a failure, and
// changed.
func TestSealedLeavesNoRow(t *testing.T) {
	t.Parallel()
	const secret, header, rotated = "canary-of-a-secret", "canary-of-a-header", "canary-of-a-rotation"
	for name, want := range map[string][]string{"sealed": nil,
		"control, not sealed": {"subscriptions"}} {
		t.Run(name, func(t *testing.T) {
			pool, schema := newPool(t)
			inner := open(t, pool, schema)
			var s store.Store = inner
			if want == nil {
				s = seal(t, inner)
			}
			sub := store.Subscription{ID: "s", URL: "https://endpoint.example/", Status: store.Subscribed,
				Secrets: []signing.Secret{secret}, Headers: map[string]string{"X-Token": header}}
			if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
				t.Fatal(err)
			}
			attemptTwo(t, s)
			got, err := s.UpdateSubscription(t.Context(), "s", func(sub *store.Subscription) error {
				sub.Secrets = append(sub.Secrets, rotated)
				return nil
			})
			if err != nil || !slices.Equal(got.Secrets, []signing.Secret{secret, rotated}) ||
				got.Headers["X-Token"] != header {
				t.Errorf(
					"the subscription when it was changed: got %d secrets, %v, want both and the header, plain",
					len(got.Secrets), err)
			}
			if got := rowsWith(t, pool, schema, secret, header, rotated); !slices.Equal(got, want) {
				t.Errorf("tables with a canary: got %v, want %v", got, want)
			}
		})
	}
}

// attemptTwo publishes two events, and has one delivered and one fail.
func attemptTwo(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Enqueue(t.Context(), someEvents(2)...); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 2, Lease: time.Hour})
	if err != nil || len(claims.Claims) != 2 {
		t.Fatalf("claims: got %d, %v, want 2", len(claims.Claims), err)
	}
	for i, state := range []store.State{store.Delivered, store.Pending} {
		out := store.Outcome{Lease: claims.Claims[i].Lease, State: state,
			Attempt: store.Attempt{Number: 1, At: time.Now(), Status: 200}}
		if _, err := s.Finish(t.Context(), out); err != nil {
			t.Fatal(err)
		}
	}
}
