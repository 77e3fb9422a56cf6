package boltstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// wide is a store with an event that many want, whose deliveries are in every state there is.
type wide struct {
	*testing.T
	s      *boltstore.Store
	o      *boltstore.Options
	subs   []string
	leased []store.Claim
}

const (
	wideID     = "wide"
	wideOf     = 60  // subscriptions
	wideBehind = "b" // an event of the same key, which waits for the wide one
)

// newWide returns a store with a wide event and one behind it. A sixth each of the wide one's
// deliveries are delivered, dead, waiting for a retry with a body of their own, leased, canceled
// with their subscription, and pending since they were enqueued.
func newWide(t *testing.T, o *boltstore.Options) *wide {
	w := &wide{T: t, o: o, s: create(t, o)}
	for range wideOf {
		w.subs = append(w.subs, subscribe(t, w.s))
	}
	slices.Sort(w.subs)
	for _, id := range []string{wideID, wideBehind} {
		e := Event(id)
		e.Key, e.Trace = "key", trace
		e.Payload = []byte(`"` + id + canary + `"`)
		if err := w.s.Enqueue(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	var outcomes []store.Outcome
	for i, c := range claim(t, w.s, wideOf*5/6) {
		o := store.Outcome{Lease: c.Lease, Attempt: store.Attempt{At: time.Now(), Status: 500,
			Response: []byte(canary)}}
		switch i % 5 {
		case 0:
			o.State = store.Delivered
			o.BodyState, o.BodyOverride = store.BodyOverridden, []byte(canary)
		case 1:
			o.State = store.Dead
		case 2:
			o.State, o.RetryIn = store.Pending, time.Hour
			o.BodyState, o.BodyOverride = store.BodyOverridden, []byte(canary)
		case 3:
			w.leased = append(w.leased, c)
			continue
		case 4:
			_, err := w.s.UpdateSubscription(t.Context(), c.SubscriptionID,
				func(s *store.Subscription) error {
					s.Status = store.Unsubscribed
					return nil
				})
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		outcomes = append(outcomes, o)
	}
	if _, err := w.s.Finish(t.Context(), outcomes...); err != nil {
		t.Fatal(err)
	}
	return w
}

// erase erases the wide event, and lets so many commits of that succeed. It returns how many there
// were.
func (w *wide) erase(commits int) (n int, err error) {
	w.Helper()
	w.s.FailCommits(func(commit func() error) error {
		if n == commits {
			return errors.New("the process dies here")
		}
		n++
		return commit()
	})
	_, _, err = w.s.Erase(w.Context(), store.EraseQuery{EventID: wideID})
	w.s.FailCommits(nil)
	return n, err
}

// wantErased wants that no call returns anything of the wide event that was erased.
func (w *wide) wantErased() {
	w.Helper()
	states := make(map[string]int)
	page, err := w.s.Deliveries(w.Context(), store.DeliveryQuery{EventID: wideID})
	if err != nil || len(page.Items) != wideOf {
		w.Fatalf("Deliveries: got %d, %v, want %d", len(page.Items), err, wideOf)
	}
	for _, d := range page.Items {
		states[string(d.State)+" "+d.LastError]++
		attempts, err := w.s.Attempts(w.Context(), d.SubscriptionID, wideID)
		if err != nil || len(attempts) != d.Attempts || !d.Erased {
			w.Errorf("a delivery: got %+v with attempts %v, %v", d, attempts, err)
		}
		for _, a := range attempts {
			if len(a.Response) > 0 || a.Status != 500 {
				w.Errorf("an attempt: got %+v, want no response", a)
			}
		}
	}
	want := map[string]int{
		"delivered ": wideOf / 6, "dead ": wideOf / 6, "canceled unsubscribed": wideOf / 6,
		"canceled erased": wideOf / 2,
	}
	if fmt.Sprint(states) != fmt.Sprint(want) {
		w.Errorf("deliveries: got %v, want %v", states, want)
	}
	for _, c := range claim(w.T, w.s, 2*wideOf) {
		if c.EventID == wideID {
			w.Errorf("%s claims what was erased", c.SubscriptionID)
		}
		if err := w.s.Release(w.Context(), c.Lease); err != nil {
			w.Error(err)
		}
	}
	q := store.DeliveryQuery{EventID: wideID, States: store.States()}
	if r, err := w.s.Requeue(w.Context(), q); r.Requeued != 0 || err != nil {
		w.Errorf("Requeue: got %+v, %v, want none", r, err)
	}
	if len(w.leased) > 0 {
		r, err := w.s.Finish(w.Context(), store.Outcome{Lease: w.leased[0].Lease,
			State: store.Dead})
		if err != nil || !r[0].Ignored {
			w.Errorf("Finish of what was leased: got %v, %v, want it ignored", r, err)
		}
	}
}

// wantDone wants that the erasure has left nothing to do, and that those behind can go.
func (w *wide) wantDone() {
	w.Helper()
	w.wantErased()
	verify(w.T, w.s)
	if got, want := pending(w.T, w.s), wideOf*5/6; got != want { // of the event behind it
		w.Errorf("pending: got %d, want %d", got, want)
	}
	if got := len(drain(w.T, w.s)); got != wideOf*5/6 {
		w.Errorf("claims of what was behind: got %d, want %d", got, wideOf*5/6)
	}
	for _, what := range []string{wideID + canary, trace[:10]} {
		e := []byte(what)
		if got := bytes.Count(compacted(w.T, w.s), e); got > 1 || what == wideID+canary && got > 0 {
			w.Errorf("the file has %q %d times", what, got)
		}
	}
}

// TestEraseIsCutOff ends the process, or only the call, after each of the commits that erase a wide
// event. From the first on all is erased, for every call, before anything is taken up again.
func TestEraseIsCutOff(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    *boltstore.Options
	}{{"memory", nil}, {"chunks", boltstore.WithBudget(1)}, {"both", boltstore.WithBudget(50)}} {
		t.Run(tt.name, func(t *testing.T) {
			o := boltstore.WithEraseStep(tt.o, 11)
			all, err := newWide(t, o).erase(1000)
			if err != nil || all < 3 {
				t.Fatalf("Erase: %d commits, %v, want some", all, err)
			}
			step := 1
			if testing.Short() {
				step = 7
			}
			for commits := 0; commits < all; commits += step {
				for _, end := range []string{"the call", "the process"} {
					t.Run(fmt.Sprintf("%d of %d, %s", commits, all, end), func(t *testing.T) {
						w := newWide(t, o)
						if n, err := w.erase(commits); n != commits || err == nil {
							t.Fatalf("Erase: %d commits, %v, want %d and an error", n, err, commits)
						}
						w.cutOff(commits, end)
					})
				}
			}
		})
	}
}

func (w *wide) cutOff(commits int, end string) {
	if end == "the process" {
		w.s, w.leased = restart(w.T, w.s, w.o), nil
	}
	if commits == 0 {
		page, err := w.s.Deliveries(w.Context(),
			store.DeliveryQuery{EventID: wideID, States: []store.State{store.Pending}})
		if err != nil || len(page.Items) != wideOf/2 || page.Items[0].Erased {
			w.Errorf("Deliveries: got %d, %v, want %d that are not erased", len(page.Items), err,
				wideOf/2)
		}
		return
	}
	if n := w.s.Leased(); n != 0 {
		w.Errorf("%d leases count against the limits", n)
	}
	w.wantErased()
	switch commits % 3 { // who finishes it
	case 0:
		prune(w.T, w.s, store.Retention{})
	case 1:
		pending(w.T, w.s)
	case 2:
		if n, _, err := w.s.Erase(w.Context(), store.EraseQuery{EventID: wideID}); n != 0 ||
			err != nil {
			w.Errorf("Erase again: got %d, %v, want none", n, err)
		}
	}
	w.wantDone()
}

// TestEraseInSteps erases an event that many want while others publish, and looks at what each
// commit writes, and at who comes in between.
func TestEraseInSteps(t *testing.T) {
	const n, step = 6000, 200
	s := create(t, boltstore.WithEraseStep(nil, step))
	for range n / 100 {
		subscribeMany(t, s, 100, "wide.event")
	}
	subscribeMany(t, s, 1, "message.created")
	if err := s.Enqueue(t.Context(), events.Event{ID: wideID, Type: "wide.event", Time: time.Now(),
		Payload: []byte(`1`)}); err != nil {
		t.Fatal(err)
	}
	rows, commits := 0, 0
	s.FailCommits(func(commit func() error) error {
		err := commit()
		now := s.Rows()
		if now-rows > step {
			t.Errorf("a commit changed %d deliveries, want at most %d", now-rows, step)
		}
		rows, commits = now, commits+1
		return err
	})
	erased := make(chan error)
	go func() {
		_, _, err := s.Erase(t.Context(), store.EraseQuery{EventID: wideID})
		erased <- err
	}()
	published := 0
	for done := false; !done; {
		select {
		case err := <-erased:
			if done = true; err != nil {
				t.Error(err)
			}
		default:
			publish(t, s, fmt.Sprintf("beside-%d", published), 1)
			published++
		}
	}
	s.FailCommits(nil)
	t.Logf("%d were published during %d commits", published, commits)
	if rows != n || commits < n/step || published < n/step/4 {
		t.Errorf("%d deliveries were erased in %d commits, beside %d of publishers", rows, commits,
			published)
	}
	if got := pending(t, s); got != published {
		t.Errorf("pending: got %d, want %d", got, published)
	}
	verify(t, s)
}
