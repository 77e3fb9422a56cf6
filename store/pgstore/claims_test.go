package pgstore_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestNumbersAtTheEdge checks that no number overflows on its way to the server: a time that is too
// long is very long, a limit that is too large is none.
func TestNumbersAtTheEdge(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	sub := subscribeJudge(t, s, newJudge(t))
	if err := s.Enqueue(t.Context(), someEvents(3)...); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(t.Context(), store.ClaimRequest{
		Max: math.MaxInt, Lease: math.MaxInt64, PerSubscription: math.MaxInt, MaxUnhealthy: math.MaxInt,
		MaxFailing:       math.MaxInt,
		BreakerThreshold: math.MaxInt,
	})
	if refused(err) {
		t.Skip("the contract refuses these")
	}
	if err != nil || len(claims.Claims) != 3 {
		t.Fatalf("claims with the largest limits: got %d, %v, want 3", len(claims.Claims), err)
	}
	deliver(t, s, claims.Claims[0])
	_, err = s.Finish(t.Context(),
		store.Outcome{Lease: claims.Claims[1].Lease, State: store.Pending, RetryIn: math.MaxInt64},
		store.Outcome{Lease: claims.Claims[2].Lease, State: store.Dead,
			Attempt: store.Attempt{Status: math.MaxInt}})
	if err != nil && !refused(err) {
		t.Errorf("Finish with the longest retry: %v", err)
	}
	if got := claimAll(t, s); err == nil && len(got) > 0 {
		t.Errorf("claims while the only delivery waits for 292 years: got %d, want none", len(got))
	}
	edges(t, s, sub.ID)
}

// edges calls what takes other limits and times with the largest.
func edges(t *testing.T, s *pgstore.Store, sub string) {
	t.Helper()
	if _, err := s.Prune(t.Context(),
		store.Retention{Delivered: math.MaxInt64, Failed: math.MaxInt64}); err != nil && !refused(err) {
		t.Errorf("Prune: %v", err)
	}
	var far time.Time
	q := store.DeliveryQuery{SubscriptionID: sub, Limit: math.MaxInt, Since: far.AddDate(-5000, 0, 0),
		Until: far.AddDate(400_000, 0, 0)}
	page, err := s.Deliveries(t.Context(), q)
	if !refused(err) && (err != nil || len(page.Items) != 3) {
		t.Errorf(
			"deliveries of all times after a Prune of what is older than 292 years: got %d, %v, want 3",
			len(page.Items), err)
	}
	subs, err := s.Subscriptions(t.Context(),
		store.SubscriptionQuery{AnyTenant: true, Limit: math.MaxInt})
	if !refused(err) && (err != nil || len(subs.Items) != 1) {
		t.Errorf("subscriptions: got %d, %v, want 1", len(subs.Items), err)
	}
	if n, _, err := s.Erase(t.Context(), store.EraseQuery{Limit: math.MaxInt}); !refused(err) &&
		(err != nil || n != 3) {
		t.Errorf("Erase: got %d, %v, want 3", n, err)
	}
}

// refused reports whether an error says that the input is bad, and which field.
func refused(err error) bool {
	var invalid *events.InvalidError
	return errors.As(err, &invalid) && strings.TrimSpace(invalid.Field) != ""
}
