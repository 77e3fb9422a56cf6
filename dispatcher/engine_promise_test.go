package dispatcher_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

type ctx = context.Context

// Promise 1: accepted is kept.

func TestAcceptedOutlastsARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outhook.db")
	synctest.Test(t, func(t *testing.T) {
		s := openBolt(t, path)
		e := newEngine(t, s, nil)
		e.subscribe("https://a.example/hook")
		var evs []events.Event
		for i := range 20 {
			evs = append(evs, e.publish("order.created", i))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		e.store = openBolt(t, path)
		e.restart(nil)
		e.run()
		settle()
		r := e.seen("")
		if len(r) != len(evs) {
			t.Fatalf("%d attempts after the restart, want %d", len(r), len(evs))
		}
		for _, ev := range evs {
			e.wantState(ev, store.Delivered)
			body, _ := ev.Body()
			if e.bodyOf(ev.ID) != string(body) {
				t.Errorf("event %s arrived as %s, want %s", ev.ID, e.bodyOf(ev.ID), body)
			}
		}
	})
}

func (e *endpoints) bodyOf(eventID string) string {
	for _, r := range e.seen("") {
		if r.EventID == eventID {
			return r.Body
		}
	}
	return ""
}

// Promise 2: an error means unknown, and trying again is safe.

func TestPublishingAgainIsSafe(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.subscribe("https://a.example/hook")
		e.run()
		ev := e.publish("order.created", 1)
		for range 3 {
			if err := e.Publish(t.Context(), ev, ev); err != nil {
				t.Errorf("publishing the same event again: %v", err)
			}
			settle()
		}
		if n := len(e.seen("")); n != 1 {
			t.Errorf("%d attempts, want 1", n)
		}
		other := ev
		other.Payload = []byte(`2`)
		if err := e.Publish(t.Context(), other); !errors.Is(err, store.ErrConflict) {
			t.Errorf("publishing other content under the same ID: %v, want store.ErrConflict", err)
		}
	})
}

func TestPublishRefusesWhatItCannotKeep(t *testing.T) {
	good, _ := events.New("order.created", 1)
	tests := []struct {
		name, field string
		change      func(*events.Event)
	}{
		{"no ID", "id", func(e *events.Event) { e.ID = "" }},
		{"unknown type", "type", func(e *events.Event) { e.Type = "order.creatd" }},
		{"no time", "time", func(e *events.Event) { e.Time = time.Time{} }},
		{"payload too large", "payload", func(e *events.Event) { e.Payload = []byte(`"0123456789"`) }},
		{"payload no JSON", "payload", func(e *events.Event) { e.Payload = []byte(`{`) }},
	}
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{MaxPayload: 11,
			EventTypes: []events.Type{{Name: "order.created"}}})
		e.subscribe("https://a.example/hook")
		for _, tt := range tests {
			bad := good
			tt.change(&bad)
			err := e.Publish(t.Context(), good, bad)
			var invalid *events.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != tt.field {
				t.Errorf("%s: %v, want an error about %s", tt.name, err, tt.field)
			}
		}
		if n := len(e.deliveries()); n != 0 {
			t.Errorf("%d deliveries were stored, want none: all or nothing", n)
		}
		if _, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/", Events: []string{"ordr.*"}}); err == nil {
			t.Error("a pattern that no published type matches was taken")
		}
	})
}

// Promise 4: at least once, and exactly once where nothing fails.

func TestEachDeliveryIsSentOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		for i := range 10 {
			e.subscribe(nthURL(i))
		}
		e.run()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 25 {
					e.publish("order.created", i)
				}
			})
		}
		wg.Wait()
		pass(time.Minute)
		seen := make(map[string]int)
		for _, r := range e.seen("") {
			seen[r.URL+r.EventID]++
		}
		if len(seen) != 2000 || len(e.seen("")) != 2000 {
			t.Errorf("%d deliveries arrived in %d requests, want 2000 in 2000", len(seen), len(e.seen("")))
		}
		if n := e.states(); n[store.Delivered] != 2000 {
			t.Errorf("states are %v, want 2000 delivered", n)
		}
	})
}

// trouble is a store that fails calls of Claim and Finish for as long as it is told to.
type trouble struct {
	store.Store
	mu     sync.Mutex
	before bool // fail without doing the work
	after  bool // do the work and fail
	panics bool
	claims int
	fin    int
}

var errDisk = errors.New("the disk is on fire")

func (s *trouble) set(before, after, panics bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after, s.panics = before, after, panics
}

func (s *trouble) state() (before, after bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("the store panics")
	}
	return s.before, s.after
}

func (s *trouble) Claim(ctx ctx, req store.ClaimRequest) (store.ClaimResult, error) {
	s.mu.Lock()
	s.claims++
	s.mu.Unlock()
	before, _ := s.state()
	if before {
		return store.ClaimResult{}, errDisk
	}
	return s.Store.Claim(ctx, req)
}

func (s *trouble) Finish(ctx ctx, outcomes ...store.Outcome) ([]store.Result, error) {
	s.mu.Lock()
	s.fin++
	s.mu.Unlock()
	before, after := s.state()
	if before {
		return nil, errDisk
	}
	res, err := s.Store.Finish(ctx, outcomes...)
	if after {
		return nil, errDisk
	}
	return res, err
}

func TestStoreTroubleIsNoAttemptAndNoBusyLoop(t *testing.T) {
	tests := []struct {
		name                  string
		before, after, panics bool
	}{{"fails", true, false, false}, {"fails after the work", false, true, false},
		{"panics", false, false, true}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				bad := &trouble{Store: s}
				e := newEngine(t, bad, &dispatcher.Options{Timeout: time.Hour}) // no lease runs out meanwhile
				e.subscribe("https://a.example/hook")
				e.answers(func(request) reply { return reply{Status: 200, Delay: time.Second} })
				e.run()
				ev := e.publish("order.created", 1)
				pass(500 * time.Millisecond)
				bad.set(tt.before, tt.after, tt.panics)
				second := e.publish("order.created", 2)
				pass(50 * time.Minute)
				if bad.claims > 2*50*60 || bad.fin > 2*50*60 { // twice a second is no busy loop
					t.Errorf("%d claims and %d finishes in 50 minutes of trouble", bad.claims, bad.fin)
				}
				bad.set(false, false, false)
				pass(time.Minute)
				for _, ev := range []events.Event{ev, second} {
					if d := e.wantState(ev, store.Delivered); d.Attempts != 1 {
						t.Errorf("%d attempts are counted, want 1", d.Attempts)
					}
				}
				if n := len(e.seen("")); n != 2 {
					t.Errorf("%d requests, want 2", n)
				}
			})
		})
	}
}
