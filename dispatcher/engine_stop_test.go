package dispatcher_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Promise 7: when its context ends, Run stops cleanly. That it leaves no goroutine, the bubble
// itself checks.

func TestStopLetsRunningAttemptsFinish(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{PerSubscription: 50})
		e.answers(func(request) reply { return reply{Status: 200, Delay: 3 * time.Second} })
		e.subscribe("https://a.example/hook")
		for i := range 60 {
			e.publish("order.created", i)
		}
		e.run()
		pass(time.Second)
		start := time.Now()
		e.stop()
		if d := time.Since(start); d < 2*time.Second || d > 2*time.Second+100*time.Millisecond {
			t.Errorf("Run took %v to stop, want the 2s that the running attempts still took", d)
		}
		if n := len(e.seen("")); n != 50 {
			t.Errorf("%d attempts, want the 50 that were running: none starts after the stop", n)
		}
		got := e.states()
		if got[store.Delivered] != 50 || got[store.Pending] != 10 {
			t.Errorf("states are %v, want 50 delivered and 10 pending", got)
		}
		e.restart(nil)
		e.run()
		pass(time.Minute)
		if n := len(e.seen("")); n != 60 {
			t.Errorf("%d attempts in all, want 60: nothing lost, nothing doubled", n)
		}
	})
}

func TestStopCutsOffWhatOutlastsDrainTimeout(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		o := &dispatcher.Options{Timeout: time.Minute, DrainTimeout: 5 * time.Second}
		e := newEngine(t, s, o)
		e.answers(func(request) reply { return reply{Delay: never} })
		e.subscribe("https://a.example/hook")
		ev := e.publish("order.created", 1)
		e.run()
		pass(time.Second)
		start := time.Now()
		e.stop()
		if d := time.Since(start); d < 5*time.Second || d > 5*time.Second+100*time.Millisecond {
			t.Errorf("Run took %v to stop, want DrainTimeout, 5s", d)
		}
		if d := e.wantState(ev, store.Pending); d.Attempts != 0 {
			t.Errorf("%d attempts were counted, want none: it was the sender that cut it off", d.Attempts)
		}
		e.status(200)
		e.restart(o)
		e.run()
		settle()
		e.wantState(ev, store.Delivered)
		if r := e.seen(""); len(r) != 2 || r[1].Attempt != 1 {
			t.Errorf("%d attempts, the last with number %d; want 2 and 1", len(r), r[len(r)-1].Attempt)
		}
	})
}

func TestRunOnceAtATime(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.run()
		settle()
		if err := e.Dispatcher.Run(t.Context()); !errors.Is(err, dispatcher.ErrRunning) {
			t.Errorf("a second Run beside the first returned %v, want ErrRunning", err)
		}
		e.stop()
		e.run()
		settle()
		ev := func() string {
			e.subscribe("https://a.example/hook")
			return e.publish("order.created", 1).ID
		}()
		settle()
		if r := e.seen(""); len(r) != 1 || r[0].EventID != ev {
			t.Errorf("%d attempts after Run was started again, want 1", len(r))
		}
	})
}

// Run returns at once, with or without work, when the store is closed under it or was before.
func TestRunReturnsWhenTheStoreIsClosed(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- e.Dispatcher.Run(ctx) }()
		settle()
		for range 2 { // under it, and before it
			start := time.Now()
			s.(interface{ Close() error }).Close()
			select {
			case err := <-done:
				if took := time.Since(start); !errors.Is(err, store.ErrClosed) || took != 0 {
					t.Errorf("Run returned %v after %v, want store.ErrClosed at once", err, took)
				}
			case <-time.After(time.Hour):
				t.Fatal("Run goes on after the store was closed")
			}
			go func() { done <- e.Dispatcher.Run(ctx) }()
		}
		<-done
		if _, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook"}); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Subscribe returned %v, want store.ErrClosed", err)
		}
	})
}

// Promise 8: a change holds at once.

// slowClaims is a store whose claims arrive late, as they may from a database.
type slowClaims struct {
	store.Store
	delay time.Duration
}

func (s slowClaims) Claim(ctx ctx, req store.ClaimRequest) (store.ClaimResult, error) {
	c, err := s.Store.Claim(ctx, req)
	timer := time.NewTimer(s.delay)
	defer timer.Stop()
	<-timer.C
	return c, err
}

func TestNoAttemptStartsAfterUnsubscribe(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, slowClaims{s, time.Second}, nil)
		sub := e.subscribe("https://a.example/hook")
		other := e.subscribe("https://b.example/hook")
		ev := e.publish("order.created", 1)
		e.run()
		pass(500 * time.Millisecond) // claimed, and on its way
		if _, err := e.Unsubscribe(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		if err := e.Delete(t.Context(), other.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if n := len(e.seen("")); n != 0 {
			t.Errorf("%d attempts started after Unsubscribe and Delete had returned", n)
		}
		e.wantState(ev, store.Canceled)
	})
}

func TestUpdateAppliesToTheNextAttempt(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, slowClaims{s, time.Second}, nil)
		sub := e.subscribe("https://old.example/hook")
		ev := e.publish("order.created", 1)
		e.run()
		pass(500 * time.Millisecond) // claimed, with the old URL
		_, err := e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.URL, s.Headers = "https://new.example/hook", map[string]string{"X-New": "yes"}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		e.wantState(ev, store.Delivered)
		r := e.seen("")
		if len(r) != 1 || r[0].URL != "https://new.example/hook" || r[0].Header.Get("X-New") != "yes" ||
			r[0].Attempt != 1 {
			t.Errorf("requests %+v, want one to the new URL with the new header", r)
		}
	})
}

func TestUnsubscribeCancelsRetriesAndSubscribeStartsAnew(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.status(http.StatusInternalServerError)
		sub := e.subscribe("https://a.example/hook")
		e.run()
		var before []string
		for i := range 5 {
			before = append(before, e.publish("order.created", i).ID)
		}
		pass(time.Second)
		for range 2 { // idempotent
			got, err := e.Unsubscribe(t.Context(), sub.ID)
			if err != nil || got.Status != store.Unsubscribed {
				t.Fatalf("Unsubscribe: %s, %v", got.Status, err)
			}
		}
		if n := e.states(); n[store.Canceled] != 5 {
			t.Errorf("states are %v, want 5 canceled", n)
		}
		e.publish("order.created", "nobody wants this")
		e.status(200)
		if _, err := e.Subscribe(t.Context(), store.Subscription{ID: sub.ID, URL: sub.URL}); err != nil {
			t.Fatal(err)
		}
		ev := e.publish("order.created", "new")
		pass(24 * time.Hour)
		for _, r := range e.seen("")[5:] {
			if r.EventID != ev.ID {
				t.Errorf("%s was attempted; only what is published after subscribing again may be", r.EventID)
			}
		}
		if n := len(e.deliveries()); n != 6 {
			t.Errorf("%d deliveries, want 6: what happened while unsubscribed is not kept", n)
		}
		if strings.Contains(strings.Join(before, " "), ev.ID) {
			t.Error("the new event has an old ID")
		}
	})
}

func TestStricterOptionsDoNotLockOldSubscriptions(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		sub := e.subscribe("http://a.example/hook", "old.type")
		e.restart(&dispatcher.Options{RequireHTTPS: true, EventTypes: []events.Type{{Name: "new.type"}}})
		rename := func(s *store.Subscription) error { s.Name = "renamed"; return nil }
		if got, err := e.Update(t.Context(), sub.ID, rename); err != nil || got.Name != "renamed" ||
			got.URL != sub.URL {
			t.Errorf("Update of the name: %+v, %v", got, err)
		}
		if _, err := e.RotateSecret(t.Context(), sub.ID, "", 0); err != nil {
			t.Errorf("RotateSecret: %v", err)
		}
		for field, change := range map[string]func(*store.Subscription) error{
			"url":    func(s *store.Subscription) error { s.URL = "http://b.example/hook"; return nil },
			"events": func(s *store.Subscription) error { s.Events = []string{"old.*"}; return nil },
		} {
			_, err := e.Update(t.Context(), sub.ID, change)
			if invalid := (*events.InvalidError)(nil); !errors.As(err, &invalid) || invalid.Field != field {
				t.Errorf("a new value of %s that the options refuse: %v", field, err)
			}
		}
		if _, err := e.Unsubscribe(t.Context(), sub.ID); err != nil {
			t.Errorf("Unsubscribe: %v", err)
		}
	})
}
