package dispatcher_test

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// must is a call of Pause or Resume that has to succeed.
func (e *engine) must(sub store.Subscription, err error) store.Subscription {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
	return sub
}

// firstAttempts returns the IDs of the events whose first attempt an endpoint saw, in that order.
func (e *engine) firstAttempts(url string) (ids []string) {
	for _, r := range e.seen(url) {
		if r.Attempt == 1 {
			ids = append(ids, r.EventID)
		}
	}
	return ids
}

// TestPauseCollects has a webhook paused for days, over a restart: nothing is attempted, nothing is
// lost, and all of it goes in order afterwards. Another one does not notice.
func TestPauseCollects(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		one := &dispatcher.Options{PerSubscription: 1} // so that the order can be seen
		e := newEngine(t, s, one)
		sub, other := e.subscribe("https://a.example/hook"), e.subscribe("https://b.example/hook")
		e.run()
		want := []string{e.publish("order.created", 0).ID}
		settle()
		for range 2 { // idempotent
			if got := e.must(e.Pause(t.Context(), sub.ID)); got.Status != store.Paused {
				t.Errorf("Pause: got the status %q, want %q", got.Status, store.Paused)
			}
		}
		for i := range 20 {
			want = append(want, e.publish("order.created", i).ID)
		}
		pass(3 * 24 * time.Hour)
		e.stop()
		e.restart(one)
		e.run()
		want = append(want, e.publish("order.created", 21).ID)
		pass(24 * time.Hour)
		if got := e.firstAttempts(sub.URL); len(got) != 1 {
			t.Errorf("%d attempts, want the one from before the pause", len(got))
		}
		if got := e.firstAttempts(other.URL); !slices.Equal(got, want) {
			t.Errorf("the other webhook got %d events, want %d in their order", len(got), len(want))
		}
		stats, err := e.SubscriptionStats(t.Context(), sub.ID)
		if err != nil || stats.Pending != 21 {
			t.Errorf("%d are pending, %v; want 21", stats.Pending, err)
		}
		e.must(e.Resume(t.Context(), sub.ID))
		pass(time.Minute)
		if got := e.firstAttempts(sub.URL); !slices.Equal(got, want) {
			t.Errorf("got the events %v, want all in their order, %v", got, want)
		}
	})
}

// TestPauseHoldsAtOnce wants no attempt to start after Pause has returned, of what was claimed
// before either, while those that run are counted.
func TestPauseHoldsAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		const atOnce = 4
		e := newEngine(t, s, &dispatcher.Options{PerSubscription: atOnce, Backoff: noJitter})
		sub := e.subscribe("https://a.example/hook")
		e.answers(func(r request) reply {
			if r.Body[len(r.Body)-2] == '0' { // the first of them
				return reply{Status: http.StatusInternalServerError, Delay: time.Second}
			}
			return reply{Status: 200, Delay: time.Second}
		})
		// As many run as may once it has proved to be healthy.
		e.publish("order.created", 1)
		e.run()
		pass(2 * time.Second)
		before := len(e.seen(""))
		publishMany(t, e, "order.created", 100)
		settle()
		if got := len(e.seen("")) - before; got != atOnce {
			t.Fatalf("%d attempts run, want %d", got, atOnce)
		}
		e.must(e.Pause(t.Context(), sub.ID))
		pass(24 * time.Hour)
		if got := len(e.seen("")) - before; got != atOnce {
			t.Errorf("%d attempts were made, want the %d that ran", got, atOnce)
		}
		if n := e.states(); n[store.Delivered] != 1+atOnce-1 || n[store.Pending] != 100-atOnce+1 {
			t.Errorf("states are %v, want %d delivered and the rest pending", n, atOnce)
		}
		e.must(e.Resume(t.Context(), sub.ID))
		e.status(200)
		pass(time.Hour)
		if n := e.states(); n[store.Delivered] != 101 {
			t.Errorf("states are %v, want all delivered", n)
		}
	})
}

// TestResumeRampsUp wants what has collected to come ever faster, and not all at once.
func TestResumeRampsUp(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		const atOnce, queued = 16, 200
		e := newEngine(t, s, &dispatcher.Options{PerSubscription: atOnce})
		sub := e.subscribe("https://a.example/hook")
		e.run()
		publishMany(t, e, "order.created", 20) // healthy by now
		pass(time.Minute)
		e.must(e.Pause(t.Context(), sub.ID))
		publishMany(t, e, "order.created", queued)
		pass(time.Hour)

		var mu sync.Mutex
		ramp := []int{1, 1, 1, 1, 1, 2, 4, 8, atOnce} // by how many have succeeded
		inFlight, most, succeeded := 0, 0, 0
		e.answers(func(request) reply {
			mu.Lock()
			inFlight++
			most = max(most, inFlight)
			if limit := ramp[min(succeeded, len(ramp)-1)]; inFlight > limit {
				t.Errorf("%d at once after %d successes, want %d at most", inFlight, succeeded, limit)
			}
			mu.Unlock()
			<-time.After(50 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			inFlight--
			succeeded++
			return reply{Status: 200}
		})
		e.must(e.Resume(t.Context(), sub.ID))
		pass(time.Hour)
		if n := e.states(); n[store.Delivered] != queued+20 {
			t.Errorf("states are %v, want all %d delivered", n, queued+20)
		}
		if most != atOnce {
			t.Errorf("at most %d at once, want %d in the end", most, atOnce)
		}
	})
}

// TestPausedCanBeUsed shows what else works while a webhook is paused.
func TestPausedCanBeUsed(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		sub := e.subscribe("https://a.example/hook")
		e.run()
		done, again := e.publish("order.created", 1), e.publish("order.created", 2)
		settle()
		e.wantState(done, store.Delivered)
		e.wantState(again, store.Delivered)
		e.must(e.Pause(t.Context(), sub.ID))
		if a, err := e.Ping(t.Context(), sub.ID); err != nil || a.Status != 200 {
			t.Errorf("Ping: %+v, %v; want a 200", a, err)
		}
		before := len(e.seen(""))
		if err := e.Redeliver(t.Context(), sub.ID, done.ID); err != nil {
			t.Error(err)
		}
		e.wantState(done, store.Pending)
		q := store.DeliveryQuery{SubscriptionID: sub.ID}
		if n, err := e.ReplayCount(t.Context(), q); err != nil || n != 1 {
			t.Errorf("ReplayCount: %d, %v; want the one that was not redelivered", n, err)
		}
		if n, err := e.Replay(t.Context(), q); err != nil || n != 1 {
			t.Errorf("Replay: %d, %v; want the one that was not redelivered", n, err)
		}
		e.wantState(again, store.Pending)
		late := e.publish("order.created", 3)
		pass(time.Hour)
		if got := len(e.seen("")); got != before {
			t.Errorf("%d attempts were made while it was paused", got-before)
		}
		// As a client of Airy's does it, which knows of no pause.
		e.must(e.Update(t.Context(), sub.ID, func(sub *store.Subscription) error {
			sub.Status = store.Subscribed
			return nil
		}))
		pass(time.Minute)
		e.wantState(done, store.Delivered)
		e.wantState(again, store.Delivered)
		e.wantState(late, store.Delivered)
	})
}

// TestUnsubscribedCannotBePaused: it gets nothing that could collect.
func TestUnsubscribedCannotBePaused(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		sub := e.subscribe("https://a.example/hook")
		e.must(e.Resume(t.Context(), sub.ID)) // changes nothing
		e.must(e.Pause(t.Context(), sub.ID))
		ev := e.publish("order.created", 1)
		e.must(e.Unsubscribe(t.Context(), sub.ID))
		e.wantState(ev, store.Canceled)
		if _, err := e.Pause(t.Context(), sub.ID); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Pause: got %v, want store.ErrConflict", err)
		}
		if _, err := e.Resume(t.Context(), sub.ID); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Resume: got %v, want store.ErrConflict", err)
		}
		const unknown = "3e639566-29fa-450d-a59f-ae3c25d7260f"
		if _, err := e.Pause(t.Context(), unknown); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Pause of an unknown one: got %v, want store.ErrNotFound", err)
		}
		if _, err := e.Pause(t.Context(), "x"); !errors.As(err, new(*events.InvalidError)) {
			t.Errorf("Pause of no UUID: got %v, want an *events.InvalidError", err)
		}
	})
}

// TestGoneWhilePaused: an attempt that runs when its webhook is paused says as much of the endpoint
// as any other.
func TestGoneWhilePaused(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		sub := e.subscribe("https://a.example/hook")
		e.answers(func(request) reply { return reply{Status: http.StatusGone, Delay: time.Second} })
		e.run()
		e.publish("order.created", 1)
		settle()
		e.must(e.Pause(t.Context(), sub.ID))
		pass(time.Minute)
		if got := e.must(e.Subscription(t.Context(), sub.ID)); !got.Disabled() {
			t.Errorf("got the status %q, want it disabled", got.Status)
		}
	})
}
