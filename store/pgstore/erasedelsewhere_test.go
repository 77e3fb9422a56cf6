package pgstore_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestSuccessOfAnEventErasedElsewhere checks that a success counts of a delivery that has got a row
// since it was claimed, without its owner's knowledge: another replica has erased the event.
func TestSuccessOfAnEventErasedElsewhere(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	other := open(t, pool, schema)
	sub := subscribeJudge(t, other, newJudge(t))
	owner, err := pgstore.New(pool, &pgstore.Options{
		Schema: schema, PollInterval: time.Hour, PollOnly: true, // it hears nothing
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Close() })
	// One success before, so that the next changes nothing of the health, and only its row is
	// written.
	if err := owner.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Fatal(err)
	}
	finish(t, owner, store.Outcome{
		Lease: claimOne(t, owner, store.ClaimRequest{}).Lease, State: store.Delivered,
		Attempt: store.Attempt{At: time.Now(), Status: 200},
	})
	evs := someEvents(2)
	if err := owner.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	claims, err := owner.Claim(t.Context(), store.ClaimRequest{Max: 2, Lease: lease})
	if err != nil || len(claims.Claims) != 2 {
		t.Fatalf("claims: got %d, %v, want 2", len(claims.Claims), err)
	}
	n, _, err := other.Erase(t.Context(), store.EraseQuery{EventID: evs[0].ID})
	if n != 1 || err != nil {
		t.Fatalf("Erase: got %d, %v, want 1", n, err)
	}
	var outcomes []store.Outcome
	for _, c := range claims.Claims {
		outcomes = append(outcomes, store.Outcome{
			Lease: c.Lease, State: store.Delivered, Attempt: store.Attempt{At: time.Now(), Status: 200},
		})
	}
	results, err := owner.Finish(t.Context(), outcomes...)
	if err != nil || results[0].Ignored || results[1].Ignored {
		t.Errorf("Finish: got %+v, %v, want both recorded", results, err)
	}
	for _, ev := range evs {
		page, err := other.Deliveries(t.Context(),
			store.DeliveryQuery{SubscriptionID: sub.ID, EventID: ev.ID})
		if err != nil || len(page.Items) != 1 || page.Items[0].State != store.Delivered {
			t.Errorf("delivery: got %+v, %v, want one that is delivered", page.Items, err)
		}
	}
}
