package boltstore_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// pause pauses a subscription, by a claim of nothing.
func pause(t *testing.T, s *boltstore.Store, id string, d time.Duration) {
	t.Helper()
	pauses := []store.Pause{{SubscriptionID: id, For: d}}
	if _, err := s.Claim(t.Context(), store.ClaimRequest{Lease: time.Hour,
		Pauses: pauses}); err != nil {
		t.Fatal(err)
	}
}

// TestPauseBeforeAnythingIsPending pauses a subscription that memory does not know.
func TestPauseBeforeAnythingIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		pause(t, s, id, time.Minute)
		publish(t, s, "event", 2)
		c, err := s.Claim(t.Context(), store.ClaimRequest{Max: 5, Lease: time.Hour})
		if err != nil || len(c.Claims) != 0 || c.NextDue != time.Minute {
			t.Errorf("while it is paused: got %d claims, wait %v, %v", len(c.Claims), c.NextDue,
				err)
		}
		wait(time.Minute)
		if got := claim(t, s, 1); len(got) != 1 {
			t.Errorf("after it: got %d claims, want 1", len(got))
		}
		pause(t, s, id, time.Minute)
		s = restart(t, s, nil)
		if got := claim(t, s, 5); len(got) != 2 {
			t.Errorf("after a restart: got %d claims, want 2", len(got))
		}
	})
}

// TestPauseBeforeTheClaim pauses one of two in the Claim that would lease of both.
func TestPauseBeforeTheClaim(t *testing.T) {
	s := create(t, nil)
	id, other := subscribe(t, s), subscribe(t, s)
	publish(t, s, "event", 2)
	c, err := s.Claim(t.Context(), store.ClaimRequest{
		Max: 9, Lease: time.Hour, Pauses: []store.Pause{{SubscriptionID: id, For: time.Hour}},
	})
	if err != nil || len(c.Claims) != 2 || c.Claims[0].SubscriptionID != other ||
		c.Claims[1].SubscriptionID != other {
		t.Errorf("claims: got %+v, %v, want two of %s", c.Claims, err, other)
	}
}

// TestPausesAreForgotten pauses many, and looks at what memory has of it when they are over.
func TestPausesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		pause := func(id string, d time.Duration) { pause(t, s, id, d) }
		var ids []string
		for i := range 20 {
			ids = append(ids, subscribe(t, s))
			pause(ids[i], time.Duration(i+1)*time.Second)
		}
		pause("nobody", time.Hour)
		pause(ids[19], 0)
		if got := s.Paused(); got != 19 {
			t.Errorf("paused: got %d, want 19", got)
		}
		if err := s.DeleteSubscription(t.Context(), ids[18]); err != nil {
			t.Error(err)
		}
		wait(10 * time.Second)
		pause(ids[0], time.Hour)
		if got := s.Paused(); got != 9 { // the last eight, and that
			t.Errorf("paused: got %d, want 9", got)
		}
	})
}

// TestPauseReadsNothing pauses subscriptions that memory has, and one that it does not have.
func TestPauseReadsNothing(t *testing.T) {
	s := create(t, nil)
	known, other := subscribe(t, s), subscribe(t, s)
	publish(t, s, "event", 1)
	claim(t, s, 2)
	for _, tt := range []struct {
		name string
		ids  []string
		want int
	}{
		{"those that have something leased", []string{known, other}, 0},
		{"one that does not exist", []string{"nobody"}, 1},
		{"several that memory does not have", []string{"nobody", known, "neither"}, 1},
	} {
		var pauses []store.Pause
		for _, id := range tt.ids {
			pauses = append(pauses, store.Pause{SubscriptionID: id, For: time.Hour})
		}
		before := s.Reads()
		if _, err := s.Claim(t.Context(), store.ClaimRequest{Lease: time.Hour,
			Pauses: pauses}); err != nil {
			t.Fatal(err)
		}
		if got := s.Reads() - before; got != tt.want {
			t.Errorf("a pause of %s: got %d reads of the file, want %d", tt.name, got, tt.want)
		}
	}
}

// TestPauseForgetsNumbers checks that memory knows the IDs of the subscriptions that it has, and of
// no others.
func TestPauseForgetsNumbers(t *testing.T) {
	s := create(t, nil)
	var ids []string
	for range 5 {
		ids = append(ids, subscribe(t, s))
	}
	publish(t, s, "event", 1)
	claim(t, s, 5)
	if got := s.Numbers(); got != 5 {
		t.Errorf("numbers: got %d, want 5", got)
	}
	for _, id := range ids[:3] {
		if err := s.DeleteSubscription(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Numbers(); got != 2 {
		t.Errorf("numbers after three were deleted: got %d, want 2", got)
	}
}
