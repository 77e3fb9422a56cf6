package boltstore_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
)

// TestPauseBeforeAnythingIsPending pauses a subscription that memory does not know.
func TestPauseBeforeAnythingIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		if err := s.Pause(t.Context(), id, time.Minute); err != nil {
			t.Fatal(err)
		}
		publish(t, s, "event", 2)
		c, err := s.Claim(t.Context(), store.ClaimRequest{Max: 5, Lease: time.Hour})
		if err != nil || len(c.Claims) != 0 || c.NextDue != time.Minute {
			t.Errorf("while it is paused: got %d claims, wait %v, %v", len(c.Claims), c.NextDue, err)
		}
		wait(time.Minute)
		if got := claim(t, s, 1); len(got) != 1 {
			t.Errorf("after it: got %d claims, want 1", len(got))
		}
		if err := s.Pause(t.Context(), id, time.Minute); err != nil {
			t.Fatal(err)
		}
		s = restart(t, s, nil)
		if got := claim(t, s, 5); len(got) != 2 {
			t.Errorf("after a restart: got %d claims, want 2", len(got))
		}
	})
}

// TestPausesAreForgotten pauses many, and looks at what memory has of it when they are over.
func TestPausesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		pause := func(id string, d time.Duration) {
			if err := s.Pause(t.Context(), id, d); err != nil {
				t.Error(err)
			}
		}
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
