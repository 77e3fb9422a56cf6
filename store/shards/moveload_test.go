package shards_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards"
)

// endpoint counts what arrives, by the event.
type endpoint struct {
	mu      sync.Mutex // guards below
	arrived map[string]int
	at      map[string]time.Time // when it did, if anybody wants to know
}

func (e *endpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	timer := time.NewTimer(30 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	id := req.Header.Get("Webhook-Id")
	if e.arrived[id]++; e.at != nil {
		e.at[id] = time.Now()
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(nil)), Request: req}, nil
}

// TestMoveUnderLoad moves a tenant back and forth while a dispatcher delivers and publishers
// publish for it and for another tenant. Each event must arrive once.
func TestMoveUnderLoad(t *testing.T) {
	for name, open := range map[string]func(*testing.T) closing{
		"memory": func(t *testing.T) closing { return inMemory(t, 3) }, "files": movable,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { moveUnderLoad(t, open(t)) })
		})
	}
}

func moveUnderLoad(t *testing.T, s closing) {
	defer s.Close()
	e := &endpoint{arrived: make(map[string]int)}
	d, err := dispatcher.New(s, &dispatcher.Options{Transport: e})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"moved", "stays"} {
		sub := store.Subscription{Tenant: tenant, URL: "https://endpoint.example/"}
		if _, err := d.Subscribe(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	var publishing sync.WaitGroup
	var mu sync.Mutex
	accepted, refused := make(map[string]string), 0
	for _, tenant := range []string{"moved", "moved", "stays"} {
		publishing.Go(func() {
			for i := range 300 {
				ev, err := events.New("a.b", map[string]int{"n": i})
				if err != nil {
					t.Error(err)
				}
				ev.Tenant = tenant
				for err = d.Publish(ctx, ev); err != nil; err = d.Publish(ctx, ev) {
					if moving := new(shards.MovingError); !errors.As(err, &moving) || tenant != "moved" {
						t.Errorf("Publish for %s: %v", tenant, err)
						return
					}
					mu.Lock()
					refused++
					mu.Unlock()
					<-time.After(50 * time.Millisecond)
				}
				mu.Lock()
				accepted[ev.ID] = tenant
				mu.Unlock()
				<-time.After(10 * time.Millisecond)
			}
		})
	}
	for i := range 9 {
		<-time.After(200 * time.Millisecond)
		if err := s.Move(ctx, "moved", (i+1)%3); err != nil {
			t.Fatalf("Move %d: %v", i, err)
		}
	}
	publishing.Wait()
	awaitNothingPending(t, s)
	stop()
	running.Wait()
	if len(accepted) != 900 {
		t.Errorf("accepted: got %d, want 900", len(accepted))
	}
	for id, tenant := range accepted {
		if n := e.arrived[id]; n != 1 {
			t.Errorf("event %s of %s arrived %d times", id, tenant, n)
		}
	}
	for i, inner := range s.inner { // 9 moves on from 0
		page, err := inner.Deliveries(t.Context(),
			store.DeliveryQuery{Tenant: "moved", Count: true, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{true: 600}[i == 0]; page.Total != want {
			t.Errorf("deliveries of the tenant in store %d: got %d, want %d", i, page.Total, want)
		}
	}
	t.Logf("%d calls were refused while the tenant was closed", refused)
}

func awaitNothingPending(t *testing.T, s store.Store) {
	t.Helper()
	for range 1000 {
		stats, err := s.Stats(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if stats.Pending == 0 {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	t.Fatal("deliveries are still pending")
}
