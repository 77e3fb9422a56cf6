package sealed_test

import (
	"context"
	"maps"
	"testing"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
)

func TestClaimFollowsChanges(t *testing.T) {
	inner, key := memstore.New(), newKey("k")
	s, replica := seal(t, inner, key), seal(t, inner, key)
	create(t, s, 1)
	publish(t, s, 5)
	wantPlain(t, "first", *claim(t, s, 1)[0].Subscription)
	second := *claim(t, s, 1)[0].Subscription
	wantPlain(t, "second", second)
	if second.SealedWith != "" {
		t.Errorf("SealedWith of what is opened: got %q, want it empty", second.SealedWith)
	}
	put(t, s, 1, "next", "next")
	wantValues(t, "after an update", *claim(t, s, 1)[0].Subscription, "next", "next")
	put(t, replica, 1, "last", "last")
	wantValues(t, "after another replica's update", *claim(t, s, 1)[0].Subscription, "last", "last")
	keep(t, inner, 1, "plain", "plain", "")
	wantValues(t, "after one that is not sealed", *claim(t, s, 1)[0].Subscription, "plain", "plain")
}

// TestClaimPassesWhatDoesNotOpen claims of two subscriptions; one has a value that was
// tampered with: the other is claimed all the same, and nothing of the first is opened.
func TestClaimPassesWhatDoesNotOpen(t *testing.T) {
	inner := memstore.New()
	s := seal(t, inner, newKey("k"))
	create(t, s, 1)
	create(t, s, 2)
	publish(t, s, 2)
	if got := len(claim(t, s, 2)); got != 2 { // both are known to the cache now
		t.Fatalf("claims: got %d, want 2", got)
	}
	kept := get(t, inner, 1)
	stolen := get(t, inner, 2).Headers[headerName]
	put(t, inner, 1, kept.Secrets[0], stolen)
	claims := claim(t, s, 2)
	if len(claims) != 2 {
		t.Fatalf("claims: got %d, want 2", len(claims))
	}
	for _, c := range claims {
		if c.SubscriptionID == id(2) {
			wantPlain(t, "the other subscription", *c.Subscription)
			continue
		}
		wantValues(t, "the one that does not open", *c.Subscription, kept.Secrets[0], stolen)
		if got := c.Subscription.SealedWith; got != "k" {
			t.Errorf("its SealedWith: got %q, want it sealed", got)
		}
	}
}

// TestClaimLeavesWhatIsShared looks whether the maps that an inner store shares among claims are
// left alone.
func TestClaimLeavesWhatIsShared(t *testing.T) {
	shared := sharing{newShared(t, 1)}
	before, secrets := maps.Clone(shared.claims[0].Subscription.Headers),
		shared.claims[0].Subscription.Secrets[0]
	s := seal(t, shared, sharedKey)
	wantPlain(t, "claim", *claim(t, s, 1)[0].Subscription)
	if got := shared.claims[0].Subscription.Headers; !maps.Equal(got, before) {
		t.Errorf("headers of the inner store: got %q, want %q", got, before)
	}
	if got := shared.claims[0].Subscription.Secrets[0]; got != secrets {
		t.Errorf("secret of the inner store: got %q, want %q", string(got), string(secrets))
	}
}

// TestClaimsOfOneSubscriptionAllocateNothing: the values are opened once.
func TestClaimsOfOneSubscriptionAllocateNothing(t *testing.T) {
	inner := newShared(t, 16)
	s := seal(t, inner, sharedKey)
	if got := testing.AllocsPerRun(100, func() { claim(t, s, 16) }); got != 0 {
		t.Errorf("allocations of a Claim: got %v, want 0", got)
	}
}

var sharedKey = sealed.Key{ID: "k", Secret: sealed.Secret{1}}

// shared is a store whose claims are always the same.
type shared struct {
	store.Store
	claims, out []store.Claim
}

// sharing is one that does not even copy its claims.
type sharing struct{ *shared }

func (s *shared) Claim(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	copy(s.out, s.claims)
	return store.ClaimResult{Claims: s.out}, nil
}

func newShared(t *testing.T, n int) *shared {
	t.Helper()
	inner := memstore.New()
	create(t, seal(t, inner, sharedKey), 1)
	c := store.Claim{Subscription: new(get(t, inner, 1))}
	s := &shared{out: make([]store.Claim, n)}
	for range n {
		s.claims = append(s.claims, c)
	}
	return s
}

// TestCacheIsBounded claims of more subscriptions than are kept, twice, and in turn changes them:
// nothing is stale.
func TestCacheIsBounded(t *testing.T) {
	const n = 1500
	inner := memstore.New()
	s := seal(t, inner, newKey("k"))
	for i := range n {
		create(t, s, i)
		put(t, s, i, signing.Secret(id(i)), id(i))
	}
	publish(t, s, 2)
	for range 2 {
		claims := claim(t, s, n)
		if len(claims) != n {
			t.Fatalf("claims: got %d, want %d", len(claims), n)
		}
		for _, c := range claims {
			wantValues(t, "claim", *c.Subscription, signing.Secret(c.SubscriptionID), c.SubscriptionID)
		}
		if got := s.Opened(); got > 1024 {
			t.Errorf("subscriptions kept open: got %d, want 1024 at most", got)
		}
	}
}
