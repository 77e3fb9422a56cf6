package rotation_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/rotation"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func TestTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for _, test := range []struct {
			name    string
			has     []signing.Secret
			until   time.Time // of the rotation before
			overlap time.Duration
			want    []signing.Secret
			ends    time.Time
		}{
			{"the first key", nil, time.Time{}, time.Hour, []signing.Secret{"new"}, time.Time{}},
			{"an overlap", []signing.Secret{"a"}, time.Time{}, time.Hour,
				[]signing.Secret{"a", "new"}, now.Add(time.Hour)},
			{"at once", []signing.Secret{"a"}, time.Time{}, 0, []signing.Secret{"new"}, time.Time{}},
			{"within another", []signing.Secret{"a", "b"}, now.Add(time.Minute), time.Hour,
				[]signing.Secret{"a", "b", "new"}, now.Add(time.Hour)},
			{"after another", []signing.Secret{"a", "b"}, now, time.Hour,
				[]signing.Secret{"b", "new"}, now.Add(time.Hour)},
			{"a key that is there", []signing.Secret{"new", "b"}, now.Add(time.Minute), time.Hour,
				[]signing.Secret{"b", "new"}, now.Add(time.Hour)},
		} {
			change, err := rotation.To("new", test.overlap)
			if err != nil {
				t.Fatal(err)
			}
			sub := store.Subscription{Secrets: test.has, OverlapUntil: test.until}
			if err := change(&sub); err != nil || !slices.Equal(sub.Secrets, test.want) ||
				!sub.OverlapUntil.Equal(test.ends) {
				t.Errorf("%s: got %d keys until %v, %v; want %d until %v", test.name,
					len(sub.Secrets), sub.OverlapUntil, err, len(test.want), test.ends)
			}
		}
	})
}

func TestOverlapOutOfBounds(t *testing.T) {
	for _, overlap := range []time.Duration{-1, store.MaxDuration + 1} {
		_, err := rotation.To("", overlap)
		invalid := (*events.InvalidError)(nil)
		if !errors.As(err, &invalid) || invalid.Field != "overlap" {
			t.Errorf("%v: got %v, want an error about the overlap", overlap, err)
		}
	}
}

// A store may run a change more than once, each time for what has come since.
func TestUnless(t *testing.T) {
	seen := time.Now()
	called := 0
	change := rotation.Unless(seen, func(*store.Subscription) error {
		called++
		return nil
	})
	if err := change(&store.Subscription{UpdatedAt: seen.Round(0)}); err != nil {
		t.Errorf("what was seen: got %v", err)
	}
	if err := change(&store.Subscription{UpdatedAt: seen.Add(time.Microsecond)}); !errors.Is(err,
		store.ErrConflict) || called != 1 {
		t.Errorf("a later state: got %v after %d changes, want ErrConflict and none", err, called)
	}
}
