package boltstore_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// wherever are the places where a claim finds an event.
var wherever = []struct {
	name   string
	o      *boltstore.Options
	size   int // of the payload
	reopen bool
	retry  bool // the deliveries have rows
	recent bool // memory has the event
}{
	{name: "memory", size: 10, recent: true},
	{name: "file, because it is large", size: 5000},
	{name: "file, because of a restart", size: 10, reopen: true},
	{name: "rows", size: 10, retry: true, recent: true},
	{name: "rows, after a restart", size: 10, retry: true, reopen: true},
	{name: "chunks", o: boltstore.WithBudget(1), size: 10, recent: true},
	{name: "chunks, after a restart", o: boltstore.WithBudget(1), size: 10, reopen: true},
}

const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// sized returns an event with a payload of a size, and its wire body.
func sized(id string, size int) (events.Event, string) {
	e := Event(id)
	payload := id + strings.Repeat("x", size)
	e.Payload, _ = json.Marshal(payload)
	e.Trace = trace
	return e, body(payload)
}

// TestClaimsAreTheSameFromEverywhere claims what was published, wherever a claim finds it.
func TestClaimsAreTheSameFromEverywhere(t *testing.T) {
	const n = 300
	for _, tt := range wherever {
		t.Run(tt.name, func(t *testing.T) {
			s := create(t, tt.o)
			subs := []string{subscribe(t, s), subscribe(t, s)}
			want := make(map[string]string) // bodies
			var evs []events.Event
			for i := range n {
				e, body := sized(fmt.Sprint("event-", i), tt.size)
				want[e.ID] = body
				evs = append(evs, e)
			}
			for some := range slices.Chunk(evs, 50) {
				if err := s.Enqueue(t.Context(), some...); err != nil {
					t.Fatal(err)
				}
			}
			if tt.retry {
				finish(t, s, claim(t, s, len(subs)*n), store.Pending, 0)
			}
			if tt.reopen {
				s = restart(t, s, tt.o)
			}
			if got := s.Recent() > 0; got != tt.recent {
				t.Errorf("memory has some of the events: %v, want %v", got, tt.recent)
			}
			got := drain(t, s)
			if len(got) != len(subs)*n {
				t.Errorf("claimed %d, want %d", len(got), len(subs)*n)
			}
			for _, c := range got {
				if string(c.Body) != want[c.EventID] || c.Trace != trace ||
					c.EventType != "message.created" {
					t.Errorf("%s: got %.20q, trace %q, type %q, want %.20q", c.EventID, c.Body,
						c.Trace, c.EventType, want[c.EventID])
				}
			}
			verify(t, s)
		})
	}
}

// TestClaimOfWhatIsErasedOnDisk claims when an Erase is in the file, but memory has not learnt it
// yet.
func TestClaimOfWhatIsErasedOnDisk(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "event", 5)
	s = restart(t, s, nil)
	s.FailCommits(func(commit func() error) error {
		err := commit()
		if got := claim(t, s, 10); len(got) != 0 {
			t.Errorf("claimed %d, the first with the body %q, want none", len(got), got[0].Body)
		}
		return err
	})
	if n, _, err := s.Erase(t.Context(), store.EraseQuery{}); n != 5 || err != nil {
		t.Errorf("Erase: got %d, %v, want 5", n, err)
	}
	s.FailCommits(nil)
	verify(t, s)
}

// TestEraseWhileClaiming erases events while others claim them: a claim has all of an event or is
// not made.
func TestEraseWhileClaiming(t *testing.T) {
	for _, o := range []*boltstore.Options{nil, boltstore.WithBudget(20)} {
		s := create(t, o)
		subscribe(t, s)
		ids := publish(t, s, "event", 400)
		var wg sync.WaitGroup
		wg.Go(func() {
			for _, id := range ids {
				if n, _, err := s.Erase(t.Context(), store.EraseQuery{EventID: id}); n != 1 ||
					err != nil {
					t.Errorf("Erase: got %d, %v", n, err)
				}
			}
		})
		for range 200 {
			claims := claim(t, s, 7)
			for _, c := range claims {
				if got, want := string(c.Body), body(c.EventID); got != want {
					t.Errorf("claimed the body %q, want %q", got, want)
				}
				if err := s.Release(t.Context(), c.Lease); err != nil {
					t.Error(err)
				}
			}
		}
		wg.Wait()
		if got := claim(t, s, 1000); len(got) != 0 || pending(t, s) != 0 || s.Recent() != 0 {
			t.Errorf("then there are %d claims, %d pending, %d in memory", len(got), pending(t, s),
				s.Recent())
		}
		verify(t, s)
	}
}
