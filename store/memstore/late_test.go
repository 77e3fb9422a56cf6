package memstore_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// TestLateSuccessOfErased has an attempt end that was under way when its event was erased. It
// counts, and brings nothing back of what was sent.
func TestLateSuccessOfErased(t *testing.T) {
	s := memstore.New()
	defer s.Close()
	_, err := s.CreateSubscription(t.Context(), store.Subscription{
		ID: "3e639566-29fa-450d-a59f-ae3c25d7260f", URL: "https://endpoint.example/",
		Status: store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	e := events.Event{ID: "e", Type: "message.created", Time: time.Now(), Payload: []byte("1")}
	if err := s.Enqueue(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	got, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute})
	if err != nil || len(got.Claims) != 1 {
		t.Fatalf("Claim: got %d, %v, want 1", len(got.Claims), err)
	}
	if n, _, err := s.Erase(t.Context(), store.EraseQuery{EventID: "e"}); n != 1 || err != nil {
		t.Fatalf("Erase: got %d, %v, want 1", n, err)
	}
	r, err := s.Finish(t.Context(), store.Outcome{
		Lease: got.Claims[0].Lease, State: store.Delivered, Attempt: store.Attempt{Status: 200},
		BodyState: store.BodyOverridden, BodyOverride: []byte("what was sent"),
	})
	if err != nil || r[0].Ignored {
		t.Fatalf("Finish: got %+v, %v, want it to count", r, err)
	}
	part, err := s.ExportTenant(t.Context(), "", "0", 10)
	if err != nil || len(part.Events) != 1 || len(part.Events[0].Deliveries) != 1 {
		t.Fatalf("ExportTenant: got %+v, %v, want one delivery", part, err)
	}
	if d := part.Events[0].Deliveries[0]; d.State != store.Delivered || len(d.BodyOverride) > 0 {
		t.Errorf("it is %s and has %q, want it delivered without what was sent", d.State,
			d.BodyOverride)
	}
}
