package boltstore_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// amongOthers returns a store in which a tenant has few events among many of another, and the IDs
// of the tenant's two subscriptions. The payloads of its events have the canary in them. The second
// subscription alone gets those with odd numbers.
func amongOthers(
	t *testing.T, o *boltstore.Options, own, others int,
) (s *boltstore.Store, subs []string) {
	t.Helper()
	s = create(t, o)
	for i, sub := range []store.Subscription{
		{Tenant: "busy", Events: []string{"a.b"}},
		{Tenant: "small", Events: []string{"even"}},
		{Tenant: "small", Events: []string{"even", "odd"}},
	} {
		sub.ID = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		sub.URL, sub.Status = "https://endpoint.example/", store.Subscribed
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		subs = append(subs, sub.ID)
	}
	var evs []events.Event
	flush := func() {
		if err := s.Enqueue(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		evs = nil
	}
	for i := range own {
		for j := range others / own {
			e := Event(fmt.Sprintf("busy-%d-%d", i, j))
			e.Tenant, e.Type = "busy", "a.b"
			if evs = append(evs, e); len(evs) == 100 {
				flush()
			}
		}
		e := Event(fmt.Sprintf("small-%d", i))
		e.Tenant, e.Type = "small", []string{"even", "odd"}[i%2]
		e.Payload = fmt.Appendf(nil, "%q", canary)
		evs = append(evs, e)
	}
	flush()
	return s, subs[1:]
}

// eraseTenant erases all events of a tenant, and returns how many, and in how many steps.
func eraseTenant(t *testing.T, s *boltstore.Store, tenant string) (n, steps int) {
	t.Helper()
	for q := (store.EraseQuery{Tenant: tenant}); ; {
		erased, next, err := s.Erase(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n, steps = n+erased, steps+1
		if q.Cursor = next; next == "" {
			return n, steps
		}
	}
}

// TestEraseLooksAtItsOwn erases and exports a tenant with few events among many, and counts the
// records that it looks at: by what the tenant has, and not by what others have.
func TestEraseLooksAtItsOwn(t *testing.T) {
	// Beside its own: what a listing looks at in the log before it goes by the tenant's index, once
	// for each step.
	const own, others, most = 40, 20_000, 2*40 + 400
	for _, tt := range []struct {
		name string
		o    *boltstore.Options
		do   func(t *testing.T, s *boltstore.Store) int
	}{
		{"erase", nil, func(t *testing.T, s *boltstore.Store) int {
			n, _ := eraseTenant(t, s, "small")
			return n
		}},
		{"erase below the watermark", boltstore.WithBudget(100),
			func(t *testing.T, s *boltstore.Store) int {
				n, _ := eraseTenant(t, s, "small")
				return n
			}},
		{"export", nil, func(t *testing.T, s *boltstore.Store) (n int) {
			for cursor := ""; ; {
				part, err := s.ExportTenant(t.Context(), "small", cursor, 100)
				if err != nil {
					t.Fatal(err)
				}
				n += len(part.Events)
				if cursor = part.Next; cursor == "" {
					return n
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := amongOthers(t, tt.o, own, others)
			before := s.Listed()
			if n := tt.do(t, s); n != own {
				t.Errorf("got %d events, want %d", n, own)
			}
			if looked := s.Listed() - before; looked > most {
				t.Errorf("looked at %d records of %d, want at most %d", looked, own+others, most)
			}
		})
	}
}

// TestEraseOfDeleted erases a tenant one of whose subscriptions is deleted, at each stage of its
// removal. No event is in a listing then that was for that subscription alone.
func TestEraseOfDeleted(t *testing.T) {
	const own, others = 20, 2000
	retention := store.Retention{Delivered: time.Hour, Failed: time.Hour}
	for _, tt := range []struct {
		name  string
		o     *boltstore.Options
		steps int // of Prune between the deletion and the erasure
	}{
		{"at once", nil, 0},
		{"at once, below the watermark", boltstore.WithBudget(100), 0},
		{"purged", nil, 1},
		{"two steps later", nil, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, subs := amongOthers(t, tt.o, own, others)
			if err := s.DeleteSubscription(t.Context(), subs[1]); err != nil {
				t.Fatal(err)
			}
			for range tt.steps {
				if _, err := s.Prune(t.Context(), retention); err != nil {
					t.Fatal(err)
				}
			}
			eraseTenant(t, s, "small")
			if bytes.Contains(compacted(t, s), []byte(canary)) {
				t.Error("the file still has what an event of the deleted subscription carried")
			}
			verify(t, s)
			// Once Prune has removed the rest, nothing has to be looked for among those of others.
			prune(t, s, retention)
			before := s.Listed()
			if n, _ := eraseTenant(t, s, "small"); n != 0 {
				t.Errorf("erased %d events again", n)
			}
			if looked := s.Listed() - before; looked > own+400 {
				t.Errorf("looked at %d records after Prune, want at most %d", looked, own+400)
			}
		})
	}
}

// TestEraseOfDamaged erases a tenant whose first delivery can't be read: the content of its event
// goes too.
func TestEraseOfDamaged(t *testing.T) {
	s, _ := amongOthers(t, nil, 4, 8)
	for _, c := range claim(t, s, 100) {
		if c.Tenant == "small" {
			finish(t, s, []store.Claim{c}, store.Pending, time.Hour)
		}
	}
	if !s.Damage("deliveries") {
		t.Fatal("there is no row")
	}
	if n, _ := eraseTenant(t, s, "small"); n != 4 {
		t.Errorf("erased %d events, want 4", n)
	}
	if bytes.Contains(compacted(t, s), []byte(canary)) {
		t.Error("the file still has what an event carried")
	}
}
