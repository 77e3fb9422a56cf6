package sealed_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
)

// attempted returns a memstore with an attempt that the keys have sealed, and its delivery.
func attempted(t *testing.T, keys ...sealed.Key) (*memstore.Store, store.Lease) {
	t.Helper()
	inner := memstore.New()
	s := seal(t, inner, keys...)
	sub := store.Subscription{ID: "5ab5c81b-0000-4000-8000-000000000001",
		URL: "https://a.example/", Status: store.Subscribed}
	if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	ev, err := events.New("order.created", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Enqueue(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute})
	if err != nil || len(claims.Claims) != 1 {
		t.Fatalf("Claim: %+v, %v", claims, err)
	}
	l := claims.Claims[0].Lease
	a := store.Attempt{At: time.Now(), Error: "x", Detail: detailed()}
	_, err = s.Finish(t.Context(), store.Outcome{Lease: l, State: store.Dead, Attempt: a})
	if err != nil {
		t.Fatal(err)
	}
	return inner, l
}

func detailed() *store.AttemptDetail {
	return &store.AttemptDetail{
		Request:       []store.HeaderField{{Name: "X-Known", Value: "c4n4ry"}},
		RemoteAddress: "192.0.2.77:443",
	}
}

// detailIn returns the detail of the only attempt.
func detailIn(t *testing.T, s store.Store, l store.Lease) *store.AttemptDetail {
	t.Helper()
	attempts, err := s.Attempts(t.Context(), l.SubscriptionID, l.EventID)
	if err != nil || len(attempts) != 1 || attempts[0].Detail == nil {
		t.Fatalf("Attempts: got %+v, %v, want one with its detail", attempts, err)
	}
	return attempts[0].Detail
}

func TestDetailIsSealed(t *testing.T) {
	key, next := newKey("k"), newKey("next")
	inner, l := attempted(t, key)
	kept := detailIn(t, inner, l)
	stored := fmt.Sprintf("%+v %q", kept, kept.Sealed)
	for _, plain := range []string{"c4n4ry", "X-Known", "192.0.2.77"} {
		if strings.Contains(stored, plain) {
			t.Errorf("the inner store has %s in %s", plain, stored)
		}
	}
	want := fmt.Sprintf("%+v", detailed())
	if got := fmt.Sprintf("%+v", detailIn(t, seal(t, inner, next, key), l)); got != want {
		t.Errorf("with its key as the second: got %s, want %s", got, want)
	}
	if d := detailIn(t, seal(t, inner, next), l); len(d.Sealed) == 0 || d.RemoteAddress != "" {
		t.Errorf("without its key: got %+v, want what is stored", d)
	}
	if d := detailIn(t, seal(t, inner, newKey("k")), l); len(d.Sealed) == 0 {
		t.Errorf("with another key of its ID: got %+v, want what is stored", d)
	}
}

// TestDetailOpensInItsOwnDeliveryAlone puts a sealed detail into another delivery, and spoils it.
func TestDetailOpensInItsOwnDeliveryAlone(t *testing.T) {
	key := newKey("k")
	from, l := attempted(t, key)
	stolen := detailIn(t, from, l)
	for name, d := range map[string]*store.AttemptDetail{
		"of another delivery":       stolen,
		"empty":                     {Sealed: []byte{0}},
		"cut":                       {Sealed: stolen.Sealed[:len(stolen.Sealed)-1]},
		"shorter than its key's ID": {Sealed: []byte{200, 1}},
	} {
		inner, l := attempted(t, key)
		if _, err := inner.Requeue(t.Context(), store.DeliveryQuery{}); err != nil {
			t.Fatal(err)
		}
		claims, err := inner.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute})
		if err != nil || len(claims.Claims) != 1 {
			t.Fatalf("Claim: %+v, %v", claims, err)
		}
		_, err = inner.Finish(t.Context(), store.Outcome{Lease: claims.Claims[0].Lease,
			State: store.Dead, Attempt: store.Attempt{Detail: d}})
		if err != nil {
			t.Fatal(err)
		}
		attempts, err := seal(t, inner, key).Attempts(t.Context(), l.SubscriptionID, l.EventID)
		if err != nil || len(attempts) != 2 || attempts[1].Detail.RemoteAddress != "" {
			t.Errorf("%s: got %+v, %v, want what is stored", name, attempts, err)
		}
	}
}
