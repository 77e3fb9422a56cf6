package boltstore_test

import (
	"errors"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/asking"
)

// TestNoFilterIsAskedInATransaction checks that an event whose filters were not asked is not
// stored, and that they are not asked then: everybody else would wait.
func TestNoFilterIsAskedInATransaction(t *testing.T) {
	s := create(t, nil)
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
