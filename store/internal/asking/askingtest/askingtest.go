// Package askingtest has what the tests of stores that ask filters have in common.
package askingtest

import (
	"context"
	"errors"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/asking"
)

// Store is a store whose filters are asked before it takes its lock. TryEnqueue is one round of its
// Enqueue, without the questions before.
type Store interface {
	store.Store
	TryEnqueue(ctx context.Context, evs ...events.Event) error
}

// StoresNothingUnasked checks that an event whose filters were not asked is not stored, and that
// they are not asked then, under the lock: everybody else would wait. The store must be empty.
func StoresNothingUnasked(t *testing.T, s Store) {
	t.Helper()
	for id, filter := range map[string]string{"all": "", "some": `{"n":1}`} {
		if _, err := s.CreateSubscription(t.Context(), store.Subscription{
			ID: id, URL: "https://endpoint.example/", Status: store.Subscribed, Filter: filter,
		}); err != nil {
			t.Fatal(err)
		}
	}
	ev, err := events.New("order.paid", map[string]int{"n": 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.TryEnqueue(t.Context(), ev); !errors.Is(err, asking.ErrUnasked) {
		t.Errorf("with filters that were not asked: got error %v, want ErrUnasked", err)
	}
	if _, err := s.Event(t.Context(), "", ev.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the event: got error %v, want that it is not stored", err)
	}
	if err := s.Enqueue(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
	stats, err := s.Stats(t.Context(), "")
	if err != nil || stats.Pending != 2 {
		t.Errorf("pending: got %d, %v, want 2", stats.Pending, err)
	}
}
