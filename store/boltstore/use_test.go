package boltstore_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// open opens a store that is closed at the end of the test.
func open(t *testing.T, path string, o *boltstore.Options) *boltstore.Store {
	t.Helper()
	s, err := boltstore.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// create opens a new store.
func create(t *testing.T, o *boltstore.Options) *boltstore.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "hooks.db"), o)
}

// restart closes a store and opens it again.
func restart(t *testing.T, s *boltstore.Store, o *boltstore.Options) *boltstore.Store {
	t.Helper()
	path := s.DB().Path()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, path, o)
}

// subscribe stores a subscription to everything and returns its ID.
func subscribe(t *testing.T, s *boltstore.Store) string {
	t.Helper()
	sub := store.Subscription{
		ID:     fmt.Sprintf("00000000-0000-4000-8000-%012x", rand.Uint64()>>16),
		URL:    "https://endpoint.example/",
		Status: store.Subscribed,
	}
	if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	return sub.ID
}

// subscribeMany stores n subscriptions to events of a type, together.
func subscribeMany(t *testing.T, s *boltstore.Store, n int, eventType string) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			sub := store.Subscription{
				ID:  fmt.Sprintf("00000000-0000-4000-8000-%012x", rand.Uint64()>>16),
				URL: "https://endpoint.example/", Events: []string{eventType},
				Status: store.Subscribed,
			}
			if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Event returns an event whose payload is its ID.
func Event(id string) events.Event {
	payload, _ := json.Marshal(id)
	return events.Event{ID: id, Type: "message.created", Time: time.UnixMilli(4e12),
		Payload: payload}
}

// body is the wire body of event.
func body(id string) string {
	return fmt.Sprintf(`{"type":"message.created","timestamp":4000000000000,"payload":%q}`, id)
}

// publish enqueues n events, name-0 and so on, in calls of at most a hundred, and returns their
// IDs.
func publish(t *testing.T, s *boltstore.Store, name string, n int) []string {
	t.Helper()
	var ids []string
	var evs []events.Event
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s-%d", name, i))
		if evs = append(evs, Event(ids[i])); len(evs) == 100 || i == n-1 {
			if err := s.Enqueue(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
			evs = evs[:0]
		}
	}
	return ids
}

// claim claims at most n deliveries.
func claim(t *testing.T, s *boltstore.Store, n int) []store.Claim {
	t.Helper()
	c, err := s.Claim(t.Context(), store.ClaimRequest{Max: n, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return c.Claims
}

// finish records the same outcome for claims.
func finish(t *testing.T, s *boltstore.Store, claims []store.Claim, state store.State,
	retryIn time.Duration) {
	t.Helper()
	var outcomes []store.Outcome
	for _, c := range claims {
		outcomes = append(outcomes, store.Outcome{
			Lease: c.Lease, State: state, RetryIn: retryIn,
			Attempt: store.Attempt{Number: c.Attempt, At: time.Now(), Status: 200},
		})
	}
	results, err := s.Finish(t.Context(), outcomes...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Ignored {
			t.Errorf("the outcome for %s was ignored", claims[i].EventID)
		}
	}
}

// drain delivers all that is due, and returns it.
func drain(t *testing.T, s *boltstore.Store) (all []store.Claim) {
	t.Helper()
	for {
		claims := claim(t, s, 100)
		if len(claims) == 0 {
			return all
		}
		finish(t, s, claims, store.Delivered, 0)
		all = append(all, claims...)
	}
}

// pending returns how many deliveries are pending.
func pending(t *testing.T, s *boltstore.Store) int {
	t.Helper()
	stats, err := s.Stats(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return stats.Pending
}

// verify checks that the file and memory agree.
func verify(t *testing.T, s *boltstore.Store) {
	t.Helper()
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// pageSize is bbolt's, on the machines that run these tests.
var pageSize = os.Getpagesize()

// filled is how many deliveries are pending in filledFile.
const filled = 300

// filledFile returns the bytes of a store's file.
func filledFile(t *testing.T) []byte {
	t.Helper()
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "event", filled)
	path := s.DB().Path()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lastPage reads the highest page that is used from the meta page that counts.
func lastPage(b []byte) int { return int(binary.NativeEndian.Uint64(BucketMeta(b)[40:])) - 1 }

func BucketMeta(b []byte) []byte {
	m0, m1 := b[16:], b[pageSize+16:]
	if binary.NativeEndian.Uint64(m0[48:]) > binary.NativeEndian.Uint64(m1[48:]) {
		return m0
	}
	return m1
}

func noise(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	_, _ = r.Read(b) // never fails
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
