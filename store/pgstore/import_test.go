package pgstore_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
)

func TestImport(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	s := newStore(t)
	o := newOld(t)
	want := make(map[string]int)
	for id, evs := range o.pending {
		want[id] = len(evs)
	}
	finished := finishedIn(t, o)
	total, copied := 0, 0
	for left := 0; ; left++ {
		done, err := s.Import(t.Context(), &interrupted{old: o, left: left / 2, late: left%2 == 1}, nil)
		total, copied = total+done.Deliveries, copied+done.Finished
		if err == nil {
			break
		}
		if !errors.Is(err, errInterrupted) {
			t.Fatal(err)
		}
	}
	if sum := want[o.subs[0].ID] + want[o.subs[1].ID] + want[o.subs[2].ID]; total != sum {
		t.Errorf("moved: got %d deliveries, want %d", total, sum)
	}
	if copied != len(finished) {
		t.Errorf("copied: got %d finished deliveries, want %d", copied, len(finished))
	}
	if got := finishedIn(t, s); !slices.Equal(got, finished) {
		t.Errorf("history: got %d deliveries, want the %d of the old store", len(got), len(finished))
	}
	again := &interrupted{old: o, left: math.MaxInt}
	if done, err := s.Import(t.Context(), again, nil); err != nil || done.Deliveries != 0 ||
		done.Finished != 0 || again.attempts != 0 {
		t.Errorf("Import once more: got %+v, %v, and it has read attempts of %d deliveries; "+
			"want it to do nothing", done, err, again.attempts)
	}
	for _, sub := range o.subs {
		got, err := s.Subscription(t.Context(), sub.ID)
		if err != nil || got.Name != sub.Name || got.Status != sub.Status ||
			!slices.Equal(got.Secrets, sub.Secrets) || got.Description != "d" ||
			got.Metadata["a"] != "b" || got.Rate != 0.1 ||
			got.SubscribedAt.UnixMicro() != sub.SubscribedAt.UnixMicro() {
			t.Errorf("subscription: got %+v, %v, want %+v", got, err, sub)
		}
	}
	for id, of := range map[string]string{o.finished.ID: "x.y", o.retried.EventID: "a.c"} {
		ev, err := s.Event(t.Context(), "", id)
		if want := []string{"of:" + of, "old"}; err != nil || !slices.Equal(ev.Tags, want) {
			t.Errorf("tags of %s: got %q, %v, want %q", id, ev.Tags, err, want)
		}
	}
	checkRetried(t, s, o)
	checkFinished(t, s, o)
	if _, err := s.UpdateSubscription(t.Context(), o.subs[2].ID, func(sub *store.Subscription) error {
		sub.Status = store.Subscribed
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	deliverAll(t, s, o)
	if stats, err := o.Stats(t.Context(), ""); err != nil || stats.Pending != 0 {
		t.Errorf("left in the old store: got %d pending, %v, want none", stats.Pending, err)
	}
}

// finishedIn returns the finished deliveries of a store, without what is not copied.
func finishedIn(t *testing.T, s store.Store) (lines []string) {
	t.Helper()
	q := store.DeliveryQuery{AnyTenant: true,
		States: []store.State{store.Delivered, store.Dead, store.Canceled}, Limit: 1000}
	for {
		page, err := s.Deliveries(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Items {
			d.CreatedAt, d.FinishedAt = d.CreatedAt.Truncate(time.Microsecond),
				d.FinishedAt.Truncate(time.Microsecond)
			d.Erased = false
			lines = append(lines, fmt.Sprintf("%+v", d))
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			slices.Sort(lines)
			return lines
		}
	}
}

// checkFinished checks that an event of which nothing was pending is known with its attempt and its
// body: it is the same event still, and can be sent again.
func checkFinished(t *testing.T, s store.Store, o *old) {
	t.Helper()
	attempts, err := s.Attempts(t.Context(), o.subs[0].ID, o.finished.ID)
	if err != nil || len(attempts) != 1 || attempts[0].Status != 500 ||
		string(attempts[0].Response) != "no" {
		t.Errorf("attempts of the finished delivery: got %+v, %v, want one with its response", attempts,
			err)
	}
	if err := s.Enqueue(t.Context(), o.finished); err != nil {
		t.Errorf("Enqueue of the finished event: %v", err)
	}
	other := o.finished
	other.Payload = json.RawMessage(`{"other":true}`)
	if err := s.Enqueue(t.Context(), other); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Enqueue of another event of its ID: got %v, want ErrConflict", err)
	}
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{EventID: o.finished.ID})
	if err != nil || len(page.Items) != 1 || page.Items[0].State != store.Delivered ||
		page.Items[0].Erased {
		t.Errorf("deliveries of the finished event: got %+v, %v, want one that is delivered", page.Items,
			err)
	}
	if r, err := s.Requeue(t.Context(),
		store.DeliveryQuery{EventID: o.finished.ID}); r.Requeued != 1 || err != nil {
		t.Errorf("Requeue of the finished delivery: got %+v, %v, want one", r, err)
	}
	// It is sent again with what else the subscription has.
	o.pending[o.subs[0].ID] = append(o.pending[o.subs[0].ID], o.finished.ID)
}

// checkRetried checks that the delivery that waits for a retry still does, with its attempts, and
// that the subscription is as unwell as it was.
func checkRetried(t *testing.T, s store.Store, o *old) {
	t.Helper()
	id, eventID := o.retried.SubscriptionID, o.retried.EventID
	attempts, err := s.Attempts(t.Context(), id, eventID)
	if err != nil || len(attempts) != 2 || attempts[1].Status != 500 ||
		string(attempts[1].Response) != "no" {
		t.Errorf("attempts: got %+v, %v, want two", attempts, err)
	}
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{SubscriptionID: id, EventID: eventID})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("the retried delivery: got %+v, %v", page.Items, err)
	}
	if in := time.Until(page.Items[0].DueAt); in < 50*time.Minute || in > time.Hour {
		t.Errorf("the retry: is due in %v, want an hour less the time the test took", in)
	}
	stats, err := s.Stats(t.Context(), id)
	if want := inMicros(o.health); err != nil || stats.Health != want ||
		want.Pacing == (store.Pacing{}) {
		t.Errorf("health: got %+v, %v, want %+v", stats.Health, err, want)
	}
}

// inMicros returns a health with the times that PostgreSQL has.
func inMicros(h store.Health) store.Health {
	h.FailingFor = time.Duration(record.Micros(h.FailingFor)) * time.Microsecond
	for _, at := range []*time.Time{&h.LastFailureAt, &h.NextProbeAt, &h.HeldUntil} {
		*at = at.Truncate(time.Microsecond).UTC()
	}
	h.Pacing.ThrottledAt = h.Pacing.ThrottledAt.UTC()
	return h
}

// deliverAll claims and delivers all that is due, and checks that it is what was pending, in order.
func deliverAll(t *testing.T, s store.Store, o *old) {
	t.Helper()
	got := make(map[string][]string)
	timer := time.NewTimer(time.Until(o.health.NextProbeAt) + 200*time.Millisecond)
	defer timer.Stop()
	<-timer.C
	for {
		claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims.Claims) == 0 {
			break
		}
		outcomes := make([]store.Outcome, len(claims.Claims))
		for i, c := range claims.Claims {
			got[c.SubscriptionID] = append(got[c.SubscriptionID], c.EventID)
			if body, err := o.finished.Body(); c.EventID == o.finished.ID && !bytes.Equal(c.Body, body) {
				t.Errorf("body of the replayed event: got %s, want %s (%v)", c.Body, body, err)
			}
			outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Delivered}
		}
		if _, err := s.Finish(t.Context(), outcomes...); err != nil {
			t.Fatal(err)
		}
	}
	o.pending[o.subs[0].ID] = o.pending[o.subs[0].ID][1:] // the one that is due in an hour
	for _, sub := range o.subs {
		want, have := o.pending[sub.ID], got[sub.ID]
		// order within a key holds, so that those wait for others; the IDs are in the order of
		// publishing
		slices.Sort(want)
		slices.Sort(have)
		if !slices.Equal(have, want) {
			t.Errorf("delivered to %s: got %d events, want the %d that were pending", sub.ID, len(have),
				len(want))
		}
	}
}
