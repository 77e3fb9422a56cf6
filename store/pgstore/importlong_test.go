package pgstore_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// TestImportOfALongHistory has more finished deliveries than a listing counts to. They must all
// come before what is pending, or else what is oldest would be listed as newest.
func TestImportOfALongHistory(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	old := memstore.New()
	if _, err := old.CreateSubscription(t.Context(), store.Subscription{
		ID: "s", URL: "https://endpoint.example/", Status: store.Subscribed,
	}); err != nil {
		t.Fatal(err)
	}
	const n = store.MaxTotal + 1500
	if err := old.Enqueue(t.Context(), someEvents(n)...); err != nil {
		t.Fatal(err)
	}
	got, err := old.Claim(t.Context(), store.ClaimRequest{Max: n - 1, Lease: time.Minute})
	if err != nil || len(got.Claims) != n-1 {
		t.Fatalf("claims: got %d, %v", len(got.Claims), err)
	}
	outcomes := make([]store.Outcome, len(got.Claims))
	for i, c := range got.Claims {
		outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Delivered,
			Attempt: store.Attempt{At: time.Now(), Status: 200}}
	}
	if _, err := old.Finish(t.Context(), outcomes...); err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	if _, err := s.Import(t.Context(), old, nil); err != nil {
		t.Fatal(err)
	}
	q := store.DeliveryQuery{AnyTenant: true, Limit: 1}
	page, err := s.Deliveries(t.Context(), q)
	if err != nil || len(page.Items) != 1 || page.Items[0].State != store.Pending {
		t.Errorf("the newest delivery: got %+v, %v, want the one that is pending", page.Items, err)
	}
	want := got.Claims[len(got.Claims)-1].EventID
	q.States = []store.State{store.Delivered}
	page, err = s.Deliveries(t.Context(), q)
	if err != nil || len(page.Items) != 1 || page.Items[0].EventID != want {
		t.Errorf("the newest that is finished: got %+v, %v, want %s", page.Items, err, want)
	}
}

// TestImportDecidesAnew has a delivery that was reduced when it was delivered, and is sent again
// after the move: its mark has not come along, so that what is sent is decided anew, and is not the
// whole event.
func TestImportDecidesAnew(t *testing.T) {
	t.Parallel()
	old := memstore.New()
	if _, err := old.CreateSubscription(t.Context(), store.Subscription{
		ID: "s", URL: "https://endpoint.example/", Status: store.Subscribed,
	}); err != nil {
		t.Fatal(err)
	}
	if err := old.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Fatal(err)
	}
	got, err := old.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute})
	if err != nil || len(got.Claims) != 1 {
		t.Fatalf("claims: got %d, %v", len(got.Claims), err)
	}
	c := got.Claims[0]
	if _, err := old.Finish(t.Context(), store.Outcome{Lease: c.Lease, State: store.Delivered,
		BodyState: store.BodyOverridden, BodyOverride: []byte("mark"),
		Attempt: store.Attempt{At: time.Now(), Status: 200}}); err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	if _, err := s.Import(t.Context(), old, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Requeue(t.Context(), store.DeliveryQuery{SubscriptionID: "s", EventID: c.EventID,
		States: []store.State{store.Delivered}}); err != nil {
		t.Fatal(err)
	}
	again := claimOne(t, s, store.ClaimRequest{Max: 1, Lease: time.Minute})
	if again.Attempt != 2 || again.BodyState != store.BodyUnsent {
		t.Errorf("got attempt %d with the state %d, want 2 with BodyUnsent", again.Attempt,
			again.BodyState)
	}
}
