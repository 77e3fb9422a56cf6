package boltstore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

const canary = "canary-7b1d"

// TestErasedIsGone erases events in every place where something of them may be, and looks for it.
func TestErasedIsGone(t *testing.T) {
	for _, tt := range wherever {
		t.Run(tt.name, func(t *testing.T) {
			s := create(t, tt.o)
			id := subscribe(t, s)
			for _, eventID := range []string{"first", "second", "third"} {
				e, _ := sized(eventID, tt.size)
				e.Payload = []byte(`"` + canary + string(e.Payload[1:]))
				if err := s.Enqueue(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			if tt.retry {
				fail(t, s, claim(t, s, 2))
			}
			if tt.reopen {
				s = restart(t, s, tt.o)
			}
			leased := claim(t, s, 1)
			n, next, err := s.Erase(t.Context(), store.EraseQuery{Limit: 10})
			if n != 3 || next != "" || err != nil {
				t.Errorf("Erase: got %d, %q, %v, want 3, the last step", n, next, err)
			}
			wantErased(t, s, id, leased)
			wantErased(t, restart(t, s, tt.o), id, leased)
		})
	}
}

// TestOverrideEnds has an override replaced by another, and then by the event's body.
func TestOverrideEnds(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "event", 1)
	for _, tt := range []struct {
		state store.BodyState
		want  int
	}{
		{store.BodyOverridden, 1}, {store.BodyOverridden, 1},
		{store.BodyUndecided, 1}, {store.BodyUnchanged, 0},
		{store.BodyOverridden, 1}, {store.BodyUnsent, 0},
	} {
		o := store.Outcome{Lease: claim(t, s, 1)[0].Lease, State: store.Pending,
			BodyState: tt.state}
		if r, err := s.Finish(t.Context(), o); err != nil || r[0].Ignored {
			t.Fatalf("Finish: got %+v, %v", r, err)
		}
		if got := s.Overrides(); got != tt.want {
			t.Errorf("overrides in the file after body state %d: got %d, want %d", tt.state, got,
				tt.want)
		}
	}
}

// TestLateSuccessOfErased has an attempt end that was under way when its event was erased. It
// counts, and brings nothing back of what was sent.
func TestLateSuccessOfErased(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "event", 1)
	c := claim(t, s, 1)[0]
	if n, _, err := s.Erase(t.Context(), store.EraseQuery{Limit: 10}); n != 1 || err != nil {
		t.Fatalf("Erase: got %d, %v, want 1", n, err)
	}
	r, err := s.Finish(t.Context(), store.Outcome{
		Lease: c.Lease, State: store.Delivered,
		Attempt:   store.Attempt{At: time.Now(), Status: 200, Response: []byte(canary)},
		BodyState: store.BodyOverridden, BodyOverride: []byte(canary),
	})
	if err != nil || r[0].Ignored {
		t.Fatalf("Finish: got %+v, %v, want it to count", r, err)
	}
	if s.Overrides() != 0 || bytes.Contains(compacted(t, s), []byte(canary)) {
		t.Error("the file has what was sent of an event that was erased")
	}
	verify(t, s)
}

// fail records failures with a response, and gives the deliveries bodies of their own.
func fail(t *testing.T, s *boltstore.Store, claims []store.Claim) {
	t.Helper()
	for _, c := range claims {
		o := store.Outcome{
			Lease: c.Lease, State: store.Pending, BodyState: store.BodyOverridden,
			BodyOverride: []byte(canary),
			Attempt: store.Attempt{At: time.Now(), Status: 500, Error: "status 500",
				Response: []byte(canary)},
		}
		if r, err := s.Finish(t.Context(), o); err != nil || r[0].Ignored {
			t.Fatalf("Finish: got %+v, %v", r, err)
		}
	}
}

// wantErased wants the events of TestErasedIsGone to have left nothing.
func wantErased(t *testing.T, s *boltstore.Store, id string, leased []store.Claim) {
	t.Helper()
	verify(t, s)
	r, err := s.Finish(t.Context(), store.Outcome{Lease: leased[0].Lease, State: store.Pending,
		BodyState: store.BodyOverridden, BodyOverride: []byte(canary)})
	if err != nil || !r[0].Ignored {
		t.Errorf("Finish of what was leased: got %+v, %v, want it ignored", r, err)
	}
	if r, err := s.Requeue(t.Context(), store.DeliveryQuery{}); r.Requeued != 0 || err != nil {
		t.Errorf("Requeue: got %+v, %v, want none", r, err)
	}
	if got := claim(t, s, 10); len(got) != 0 || s.Recent() != 0 {
		t.Errorf("there are %d claims, and memory has %d events", len(got), s.Recent())
	}
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{})
	if err != nil || len(page.Items) != 3 {
		t.Fatalf("Deliveries: got %d, %v, want 3", len(page.Items), err)
	}
	for _, d := range page.Items {
		if d.State != store.Canceled || d.LastError != "erased" {
			t.Errorf("%s: got %s, %q, want it canceled because it is erased", d.EventID, d.State,
				d.LastError)
		}
		attempts, err := s.Attempts(t.Context(), id, d.EventID)
		if err != nil || len(attempts) != d.Attempts {
			t.Errorf("Attempts: got %d, %v, want %d", len(attempts), err, d.Attempts)
		}
		for _, a := range attempts {
			if a.Error != "status 500" || len(a.Response) != 0 {
				t.Errorf("%s: got %q, %q", d.EventID, a.Error, a.Response)
			}
		}
	}
	for _, what := range []string{canary, trace} {
		if bytes.Contains(compacted(t, s), []byte(what)) {
			t.Errorf("the records still have %q", what)
		}
	}
}

// compacted returns a copy of the file without what its free pages hold.
func compacted(t *testing.T, s *boltstore.Store) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "compact.db")
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := bolt.Compact(db, s.DB(), 0); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOwnBodiesGo has deliveries with bodies of their own, and removes them in every way.
func TestOwnBodiesGo(t *testing.T) {
	for _, tt := range []struct {
		name   string
		remove func(t *testing.T, s *boltstore.Store, id string)
	}{
		{"pruned", func(t *testing.T, s *boltstore.Store, _ string) {
			drain(t, s)
			timer := time.NewTimer(2 * time.Hour)
			<-timer.C
			prune(t, s, store.Retention{Delivered: time.Hour, Failed: time.Hour})
		}},
		{"deleted", func(t *testing.T, s *boltstore.Store, id string) {
			if err := s.DeleteSubscription(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			prune(t, s, store.Retention{})
		}},
		{"damaged", func(t *testing.T, s *boltstore.Store, _ string) {
			s.Damage("deliveries")
			drain(t, s)
			prune(t, s, store.Retention{})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := boltstore.WithBudget(1)
				s := create(t, o)
				id := subscribe(t, s)
				publish(t, s, "event", 1)
				fail(t, s, claim(t, s, 1))
				verify(t, s)
				s = restart(t, s, o)
				if !bytes.Contains(compacted(t, s), []byte(canary)) {
					t.Fatal("the file does not have the body")
				}
				tt.remove(t, s, id)
				verify(t, s)
				if bytes.Contains(compacted(t, s), []byte(canary)) {
					t.Error("the file still has it")
				}
			})
		})
	}
}

// prune prunes until there is nothing more to do.
func prune(t *testing.T, s *boltstore.Store, r store.Retention) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = s.Prune(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}
