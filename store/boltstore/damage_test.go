package boltstore_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// TestDamagedRecords damages one record of a running store, and looks at what suffers.
func TestDamagedRecords(t *testing.T) {
	const n = 5
	for _, tt := range []struct {
		name    string
		bucket  string
		dead    int  // deliveries that die
		listing bool // a listing of all deliveries still works
	}{
		{"an event", "events", 1, false},
		{"a row", "deliveries", 1, false},
		{"a subscription", "subscriptions", n, false},
		{"a health", "health", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := create(t, nil)
			id := subscribe(t, s)
			publish(t, s, "event", n)
			claims := claim(t, s, n)
			// so that all has a row, and the subscription a health
			finish(t, s, claims, store.Pending, 0)
			s = restart(t, s, nil)
			other := subscribe(t, s)
			if !s.Damage(tt.bucket) {
				t.Fatalf("there is nothing in %q", tt.bucket)
			}
			publish(t, s, "later", 1)
			got := make(map[string]int)
			for _, c := range drain(t, s) {
				got[c.SubscriptionID]++
			}
			if want := n + 1 - tt.dead; tt.bucket != "subscriptions" && got[id] != want {
				t.Errorf("claimed %d of it, want %d", got[id], want)
			}
			if got[other] != 1 {
				t.Errorf("claimed %d of another, want 1", got[other])
			}
			if p := pending(t, s); p != 0 {
				t.Errorf("pending: got %d, want none", p)
			}
			_, err := s.Deliveries(t.Context(), store.DeliveryQuery{})
			switch {
			case tt.listing && err != nil:
				t.Errorf("Deliveries: %v", err)
			case !tt.listing && tt.bucket == "events" && !errors.Is(err, store.ErrCorrupt):
				t.Errorf("Deliveries: got error %v, want store.ErrCorrupt", err)
			}
			if _, err := s.Claim(t.Context(),
				store.ClaimRequest{Max: 1, Lease: time.Hour}); err != nil {
				t.Errorf("Claim: %v", err)
			}
		})
	}
}

// TestDamagedDeliveryDies looks at what is left of a delivery whose row is damaged.
func TestDamagedDeliveryDies(t *testing.T) {
	s := create(t, nil)
	id := subscribe(t, s)
	ids := publish(t, s, "event", 2)
	finish(t, s, claim(t, s, 2), store.Pending, 0)
	s = restart(t, s, nil)
	s.Damage("deliveries")
	if _, err := s.Attempts(t.Context(), id, ids[0]); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Attempts: got error %v, want store.ErrCorrupt", err)
	}
	if got := len(drain(t, s)); got != 1 {
		t.Errorf("claimed %d, want 1", got)
	}
	verify(t, s)
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{EventID: ids[0]})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("Deliveries: got %d, %v", len(page.Items), err)
	}
	if d := page.Items[0]; d.State != store.Dead || d.LastError == "" {
		t.Errorf("got %+v, want a dead delivery that says why", d)
	}
}

// TestEraseOfADamagedDelivery erases deliveries, and the row of one can't be read.
func TestEraseOfADamagedDelivery(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	ids := publish(t, s, "event", 3)
	fail(t, s, claim(t, s, 3))
	s = restart(t, s, nil)
	s.Damage("deliveries")
	if n, _, err := s.Erase(t.Context(), store.EraseQuery{}); n != 3 || err != nil {
		t.Errorf("Erase: got %d, %v, want 3", n, err)
	}
	if got := len(drain(t, s)); got != 0 || pending(t, s) != 0 {
		t.Errorf("then there are %d claims, and %d pending", got, pending(t, s))
	}
	verify(t, s)
	for i, want := range []store.State{store.Dead, store.Canceled, store.Canceled} {
		page, err := s.Deliveries(t.Context(), store.DeliveryQuery{EventID: ids[i]})
		if err != nil || len(page.Items) != 1 || page.Items[0].State != want {
			t.Errorf("%s: got %+v, %v, want it %s", ids[i], page.Items, err, want)
		}
	}
	if bytes.Contains(compacted(t, s), []byte(canary)) {
		t.Error("the file still has something of it")
	}
}

// TestDamagedChunk damages what is pending of one subscription, and looks whether others get
// theirs.
func TestDamagedChunk(t *testing.T) {
	o := boltstore.WithBudget(1)
	s := create(t, o)
	subscribe(t, s)
	publish(t, s, "event", 200)
	other := subscribe(t, s)
	publish(t, s, "later", 200)
	s = restart(t, s, o)
	if !s.Damage("chunks") {
		t.Fatal("there is no chunk")
	}
	got := 0
	for _, c := range drain(t, s) {
		if c.SubscriptionID == other {
			got++
		}
	}
	if got != 200 {
		t.Errorf("claimed %d of another subscription, want 200", got)
	}
}

// TestClaimOfManyDamagedIsBounded has an event that can't be read and that many want: a Claim must
// return before it has been through all of them, and say that there is more.
func TestClaimOfManyDamagedIsBounded(t *testing.T) {
	const many = 300
	s := create(t, nil)
	subscribeMany(t, s, many, "message.created")
	e := Event("event")
	// so that Damage meets the body, and not the list of recipients
	e.Payload = []byte(`"` + strings.Repeat("x", 4096) + `"`)
	if err := s.Enqueue(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	s = restart(t, s, nil)
	s.Damage("events")
	goes, commits, more := 0, 0, true
	s.FailCommits(func(commit func() error) error { commits++; return commit() })
	for ; more; goes++ {
		before := commits
		got, err := s.Claim(t.Context(), store.ClaimRequest{Max: 10, Lease: time.Hour})
		if err != nil || len(got.Claims) > 0 {
			t.Fatalf("Claim: got %d claims, %v; want none", len(got.Claims), err)
		}
		if n := commits - before; n > 8 {
			t.Fatalf("a Claim took %d commits", n)
		}
		more = got.NextDue == 0
	}
	if goes < 2 || goes > many {
		t.Errorf("it took %d Claims to be through all %d", goes, many)
	}
	s.FailCommits(nil)
	if p := pending(t, s); p != 0 {
		t.Errorf("pending: got %d, want none", p)
	}
}
