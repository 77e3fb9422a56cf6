package boltstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// TestSinceEndsTheWalk damages the oldest event: a listing that comes to it fails, and one that has
// Since does not.
func TestSinceEndsTheWalk(t *testing.T) {
	for _, tt := range []struct {
		name   string
		clock  []time.Duration // what the system's clock shows at each event
		since  time.Duration
		listed []string // newest first; nil when it comes to the oldest event
	}{
		{"in order", []time.Duration{0, 1, 2, 3}, 2, []string{"event-3", "event-2"}},
		{"at the oldest", []time.Duration{0, 1, 2, 3}, 0, nil},
		{"set back", []time.Duration{0, 5, 2, 3}, 3, nil},
		{"set back before it", []time.Duration{0, 5, 2, 6}, 6, []string{"event-3"}},
		{"set back twice", []time.Duration{0, 5, 2, 1}, 4, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			now := start
			o := boltstore.WithWall(func() time.Time { return now })
			s := create(t, o)
			id := subscribe(t, s)
			for i, d := range tt.clock {
				now = start.Add(d * time.Hour)
				publishOne(t, s, i)
				if i == 1 {
					s = restart(t, s, o)
				}
			}
			s.Damage("events")
			for _, sub := range []string{"", id} {
				q := store.DeliveryQuery{SubscriptionID: sub,
					Since: start.Add(tt.since * time.Hour), Count: true}
				page, err := s.Deliveries(t.Context(), q)
				if came := errors.Is(err, store.ErrCorrupt); came != (tt.listed == nil) ||
					err != nil && !came {
					t.Errorf("subscription %q: got error %v, want that it comes to the oldest: %v",
						sub, err, tt.listed == nil)
				}
				if len(page.Items) != len(tt.listed) || page.Total != len(tt.listed) {
					t.Fatalf("subscription %q: got %d of %d, want %v", sub, len(page.Items),
						page.Total, tt.listed)
				}
				for i, d := range page.Items {
					if d.EventID != tt.listed[i] {
						t.Errorf("subscription %q: got %s, want %s", sub, d.EventID, tt.listed[i])
					}
				}
			}
		})
	}
}

func publishOne(t *testing.T, s *boltstore.Store, i int) {
	t.Helper()
	if err := s.Enqueue(t.Context(), Event("event-"+string(rune('0'+i)))); err != nil {
		t.Fatal(err)
	}
}
