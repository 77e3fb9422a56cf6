package dispatcher_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// pulling are options that allow subscriptions without a URL.
func pulling() *dispatcher.Options { return &dispatcher.Options{AllowPull: true} }

// poll reads with a cursor, without waiting.
func (e *engine) poll(id, cursor string, most int) dispatcher.PollResult {
	e.t.Helper()
	got, err := e.Poll(e.t.Context(),
		dispatcher.PollRequest{SubscriptionID: id, Cursor: cursor, Max: most})
	if err != nil {
		e.t.Fatal(err)
	}
	return got
}

func polledIDs(r dispatcher.PollResult) (ids []string) {
	for _, d := range r.Deliveries {
		ids = append(ids, d.EventID)
	}
	return ids
}

func publishedIDs(e *engine, n int) (ids []string) {
	for i := range n {
		ids = append(ids, e.publish("order.created", i).ID)
	}
	return ids
}

// TestPoll reads deliveries page by page: in order, each once when its cursor is given back, and
// again when it is not, signed as deliveries are. Run attempts none of them.
func TestPoll(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var told []dispatcher.Info
		o := pulling()
		o.Observer = &dispatcher.Observer{
			OnDelivered: func(i dispatcher.Info) { told = append(told, i) },
		}
		e := newEngine(t, s, o)
		e.run()
		key := signing.NewSecret()
		sub, err := e.Subscribe(t.Context(), store.Subscription{
			Secrets: []signing.Secret{key}, Headers: map[string]string{"X-Own": "mine"},
		})
		if err != nil || sub.URL != "" || sub.Status != store.Subscribed {
			t.Fatalf("Subscribe: got %+v, %v", sub, err)
		}
		want := publishedIDs(e, 7)
		pass(time.Hour)
		first := e.poll(sub.ID, "", 3)
		if got := polledIDs(first); !slices.Equal(got, want[:3]) || !first.More {
			t.Errorf("the first poll: got %v, more: %t; want %v, and more", got, first.More, want[:3])
		}
		for _, d := range first.Deliveries {
			if err := (signing.Verifier{Keys: []signing.Secret{key}}).Verify(d.Header, d.Body); err != nil ||
				d.Header.Get("X-Own") != "mine" || d.Header.Get("webhook-id") != d.EventID ||
				d.Attempt != 1 || d.EventType != "order.created" || d.Time.IsZero() {
				t.Errorf("a delivery: %+v, %v", d, err)
			}
		}
		if got := polledIDs(e.poll(sub.ID, "", 3)); !slices.Equal(got, want[:3]) {
			t.Errorf("without the cursor: got %v, want the same again", got)
		}
		if n := e.states(); n[store.Pending] != 7 {
			t.Errorf("states are %v before anything is acknowledged, want 7 pending", n)
		}
		second := e.poll(sub.ID, first.Cursor, 3)
		if got := polledIDs(second); !slices.Equal(got, want[3:6]) {
			t.Errorf("with the cursor: got %v, want %v", got, want[3:6])
		}
		if got := polledIDs(e.poll(sub.ID, first.Cursor, 3)); !slices.Equal(got, want[3:6]) {
			t.Errorf("with the same cursor again: got %v, want %v", got, want[3:6])
		}
		last := e.poll(sub.ID, second.Cursor, 3)
		if got := polledIDs(last); !slices.Equal(got, want[6:]) || last.More {
			t.Errorf("the last poll: got %v, more: %t; want %v", got, last.More, want[6:])
		}
		end := e.poll(sub.ID, last.Cursor, 3)
		if len(end.Deliveries) != 0 || end.Cursor != "" || end.More {
			t.Errorf("when all is read: got %+v, want nothing", end)
		}
		if n := e.states(); n[store.Delivered] != 7 {
			t.Errorf("states are %v, want 7 delivered", n)
		}
		if len(e.seen("")) != 0 {
			t.Errorf("%d requests were made, want none", len(e.seen("")))
		}
		attempts, err := e.Attempts(t.Context(), sub.ID, want[0])
		if err != nil || len(attempts) != 1 || attempts[0].Status != 200 || attempts[0].Error != "" {
			t.Errorf("the attempts are %+v, %v; want one that succeeded", attempts, err)
		}
		stats, err := e.Stats(t.Context())
		if err != nil || stats.Delivered != 7 || stats.Attempts != 7 || stats.Pending != 0 {
			t.Errorf("Stats: got %+v, %v", stats, err)
		}
		figures, err := e.SubscriptionStats(t.Context(), sub.ID)
		if err != nil || figures.Day.Delivered != 7 {
			t.Errorf("SubscriptionStats: got %+v, %v; want 7 delivered", figures, err)
		}
		if len(told) != 7 || told[0].EventID != want[0] || told[0].State != store.Delivered {
			t.Errorf("OnDelivered was told of %d, want 7", len(told))
		}
	})
}

// TestPollWaits has polls wait: until something is published here, until another process has
// published something, and until their time is over.
func TestPollWaits(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, pulling())
		sub := e.subscribe("")
		wait := func(d time.Duration, then func()) (got dispatcher.PollResult, took time.Duration) {
			t.Helper()
			start := time.Now()
			done := make(chan error, 1)
			go func() {
				var err error
				got, err = e.Poll(t.Context(),
					dispatcher.PollRequest{SubscriptionID: sub.ID, Wait: d, Cursor: got.Cursor})
				took = time.Since(start)
				done <- err
			}()
			pass(2500 * time.Millisecond)
			then()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			return got, took
		}
		got, took := wait(10*time.Second, func() {})
		if len(got.Deliveries) != 0 || took < 10*time.Second || took > 11*time.Second {
			t.Errorf("nothing came: got %d deliveries after %v, want none after 10 s",
				len(got.Deliveries), took)
		}
		got, took = wait(10*time.Second, func() { e.publish("order.created", 1) })
		if len(got.Deliveries) != 1 || took > 2600*time.Millisecond {
			t.Errorf("an event came: got %d deliveries after %v, want one at once",
				len(got.Deliveries), took)
		}
		e.poll(sub.ID, got.Cursor, 1)
		got, took = wait(10*time.Second, func() { // as another process would
			ev, err := events.New("order.created", 2)
			if err == nil {
				err = s.Enqueue(t.Context(), ev)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if len(got.Deliveries) != 1 || took > 4*time.Second {
			t.Errorf("another process: got %d deliveries after %v, want one within a second or so",
				len(got.Deliveries), took)
		}
		e.poll(sub.ID, got.Cursor, 1)
		got, _ = wait(10*time.Second, func() {
			e.must(e.Pause(t.Context(), sub.ID))
			e.publish("order.created", 3)
		})
		if len(got.Deliveries) != 0 {
			t.Errorf("paused meanwhile: got %d deliveries, want none", len(got.Deliveries))
		}
	})
}

// TestPolledDeliveriesEndAsOthers redelivers, pauses, erases, unsubscribes and moves to a URL.
func TestPolledDeliveriesEndAsOthers(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		o := pulling()
		o.PerSubscription = 1 // so that the order can be seen
		e := newEngine(t, s, o)
		e.run()
		sub := e.subscribe("")
		ids := publishedIDs(e, 3)
		read := e.poll(sub.ID, "", 2)
		next := e.poll(sub.ID, read.Cursor, 2)
		if err := e.Redeliver(t.Context(), sub.ID, ids[0]); err != nil {
			t.Fatal(err)
		}
		// The cursor from before does not end the new life of the delivery.
		again := e.poll(sub.ID, read.Cursor, 5)
		if got := polledIDs(again); !slices.Equal(got, []string{ids[0], ids[2]}) ||
			again.Deliveries[0].Attempt != 2 {
			t.Errorf("after a redelivery: got %v, want the old one first, as its second attempt", got)
		}
		e.must(e.Pause(t.Context(), sub.ID))
		if got := e.poll(sub.ID, next.Cursor, 5); len(got.Deliveries) != 0 {
			t.Errorf("paused: got %v, want nothing", polledIDs(got))
		}
		if got := e.delivery(events.Event{ID: ids[2]}); got.State != store.Delivered {
			t.Errorf("what was acknowledged in the pause is %s, want delivered", got.State)
		}
		e.must(e.Resume(t.Context(), sub.ID))
		if err := e.Erase(t.Context(), "", ids[0]); err != nil {
			t.Fatal(err)
		}
		if got := e.poll(sub.ID, again.Cursor, 5); len(got.Deliveries) != 0 {
			t.Errorf("erased: got %v, want nothing", polledIDs(got))
		}
		more := publishedIDs(e, 2)
		held := e.poll(sub.ID, "", 1)
		e.must(e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.URL = "https://a.example/hook"
			return nil
		}))
		pass(time.Minute)
		if got := e.firstAttempts("https://a.example/hook"); !slices.Equal(got, more) {
			t.Errorf("with a URL: it got %v, want %v", got, more)
		}
		var invalid *events.InvalidError
		_, err := e.Poll(t.Context(),
			dispatcher.PollRequest{SubscriptionID: sub.ID, Cursor: held.Cursor})
		if !errors.As(err, &invalid) {
			t.Errorf("a poll of one with a URL: got error %v, want an InvalidError", err)
		}
		e.must(e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.URL = ""
			return nil
		}))
		publishedIDs(e, 1)
		last := e.poll(sub.ID, "", 1)
		e.must(e.Unsubscribe(t.Context(), sub.ID))
		if got := e.poll(sub.ID, last.Cursor, 5); len(got.Deliveries) != 0 {
			t.Errorf("unsubscribed: got %v, want nothing", polledIDs(got))
		}
	})
}

// TestPollKeepsKeysInOrder has the host's Transform fail for one delivery: it stays, with what is
// behind it in its key, and keeps no other back.
func TestPollKeepsKeysInOrder(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		broken := true
		o := pulling()
		o.Transform = func(
			_ context.Context, _ store.Subscription, e events.Event, r *dispatcher.Request,
		) error {
			if broken && string(e.Payload) == `"broken"` {
				return errors.New("not now")
			}
			r.Header = http.Header{"X-Transformed": {"yes"}}
			return nil
		}
		e := newEngine(t, s, o)
		sub := e.subscribe("")
		var ids []string
		for _, one := range []struct{ key, payload string }{
			{"a", "broken"}, {"a", "behind"}, {"b", "free"}, {"", "free"},
		} {
			ev, err := events.New("order.created", one.payload)
			if err != nil {
				t.Fatal(err)
			}
			ev.Key = one.key
			if err := e.Publish(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, ev.ID)
		}
		got := e.poll(sub.ID, "", 10)
		if !slices.Equal(polledIDs(got), ids[2:]) ||
			got.Deliveries[0].Header.Get("X-Transformed") != "yes" {
			t.Errorf("while one fails: got %v, want %v", polledIDs(got), ids[2:])
		}
		_, err := e.Poll(t.Context(),
			dispatcher.PollRequest{SubscriptionID: sub.ID, Cursor: got.Cursor})
		if err == nil || !strings.Contains(err.Error(), "Transform failed") {
			t.Errorf("when nothing else is left: got error %v, want that Transform failed", err)
		}
		broken = false
		if got := e.poll(sub.ID, "", 10); !slices.Equal(polledIDs(got), ids[:2]) {
			t.Errorf("when it is repaired: got %v, want %v", polledIDs(got), ids[:2])
		}
	})
}

// eventReads is a store that counts the events that are read of it.
type eventReads struct {
	store.Store
	n int
}

func (s *eventReads) Event(
	ctx context.Context, tenant, id string,
) (store.StoredEvent, error) {
	s.n++
	return s.Store.Event(ctx, tenant, id)
}

// TestPollPassesOverWhatIsForLater publishes more for later than any page has, and something for
// now: that is read and acknowledged, no event of the others is read, and what is behind one of
// them in its key stays behind it.
func TestPollPassesOverWhatIsForLater(t *testing.T) {
	onEachStore(t, func(t *testing.T, under store.Store) {
		s := &eventReads{Store: under}
		e := newEngine(t, s, pulling())
		sub := e.subscribe("")
		later := time.Now().Add(time.Hour)
		made := func(n int, key string, at time.Time) (evs []events.Event, ids []string) {
			for i := range n {
				ev, err := events.New("order.created", i)
				if err != nil {
					t.Fatal(err)
				}
				ev.Key, ev.NotBefore = key, at
				evs, ids = append(evs, ev), append(ids, ev.ID)
			}
			return evs, ids
		}
		held, heldIDs := made(1500, "", later)
		first, firstIDs := made(1, "a", later)
		behind, behindIDs := made(1, "a", time.Time{})
		now, nowIDs := made(3, "", time.Time{})
		for _, evs := range [][]events.Event{held, first, behind, now} {
			if err := e.Publish(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
		}
		got := e.poll(sub.ID, "", 2)
		if !slices.Equal(polledIDs(got), nowIDs[:2]) || !got.More {
			t.Fatalf("got %v, more: %t; want %v, and more", polledIDs(got), got.More, nowIDs[:2])
		}
		if s.n != 2 {
			t.Errorf("%d events were read for 2 deliveries", s.n)
		}
		got = e.poll(sub.ID, got.Cursor, 2)
		if !slices.Equal(polledIDs(got), nowIDs[2:]) || got.More {
			t.Errorf("after the acknowledgment: got %v, more: %t; want %v", polledIDs(got), got.More,
				nowIDs[2:])
		}
		if n := e.states(); n[store.Delivered] != 2 {
			t.Errorf("states are %v, want 2 delivered", n)
		}
		got = e.poll(sub.ID, got.Cursor, 2)
		if len(got.Deliveries) != 0 || got.More {
			t.Errorf("when the rest is for later: got %+v, want nothing", got)
		}
		pass(time.Hour)
		got = e.poll(sub.ID, "", dispatcher.MaxPoll)
		if !slices.Equal(polledIDs(got), heldIDs[:dispatcher.MaxPoll]) || !got.More {
			t.Errorf("when its time has come: got %v, want the first", polledIDs(got))
		}
		for range len(held) / dispatcher.MaxPoll {
			got = e.poll(sub.ID, got.Cursor, dispatcher.MaxPoll)
		}
		if !slices.Equal(polledIDs(got), []string{firstIDs[0], behindIDs[0]}) {
			t.Errorf("the last: got %v, want those of the key in their order", polledIDs(got))
		}
	})
}

// TestPollPassesOverWhatFails has Transform fail for more than any page has, before something that
// it does not fail for. It gets the events as they were published.
func TestPollPassesOverWhatFails(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var got events.Event
		o := pulling()
		o.Transform = func(
			_ context.Context, _ store.Subscription, e events.Event, _ *dispatcher.Request,
		) error {
			if string(e.Payload) == `"broken"` {
				return errors.New("not now")
			}
			got = e
			return nil
		}
		e := newEngine(t, s, o)
		sub := e.subscribe("")
		var all []events.Event
		for range 150 {
			ev, err := events.New("order.created", "broken")
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, ev)
		}
		want, err := events.New("order.created", "whole")
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now().UTC().Truncate(time.Millisecond)
		want.Tags = []string{"order:17", "vip"}
		want.NotBefore, want.ExpiresAt = at.Add(time.Second), at.Add(time.Hour)
		if err := e.Publish(t.Context(), append(all, want)...); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		polled := e.poll(sub.ID, "", 1)
		if !slices.Equal(polledIDs(polled), []string{want.ID}) {
			t.Fatalf("got %v, want %v", polledIDs(polled), want.ID)
		}
		if !slices.Equal(got.Tags, want.Tags) || !got.NotBefore.Equal(want.NotBefore) ||
			!got.ExpiresAt.Equal(want.ExpiresAt) {
			t.Errorf("Transform got %+v, want tags and times of %+v", got, want)
		}
	})
}

// TestPollFindsNoneThatHasExpired has an event expire before it is read.
func TestPollFindsNoneThatHasExpired(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, pulling()) // Run does not run: nothing is maintained
		sub := e.subscribe("")
		ev, err := events.New("order.created", 1)
		if err != nil {
			t.Fatal(err)
		}
		ev.ExpiresAt = time.Now().Add(time.Minute)
		if err := e.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		if got := e.poll(sub.ID, "", 1); !slices.Equal(polledIDs(got), []string{ev.ID}) {
			t.Errorf("before: got %v, want %v", polledIDs(got), ev.ID)
		}
		pass(time.Hour)
		if got := e.poll(sub.ID, "", 1); len(got.Deliveries) != 0 {
			t.Errorf("after it has expired: got %v, want nothing", polledIDs(got))
		}
	})
}

// TestPollWaitsForATime has a poll wait while the time of an event comes.
func TestPollWaitsForATime(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, pulling())
		sub := e.subscribe("")
		start := time.Now()
		ev := e.enqueue(func(ev *events.Event) { ev.NotBefore = start.Add(5 * time.Second) })
		got, err := e.Poll(t.Context(), dispatcher.PollRequest{
			SubscriptionID: sub.ID, Wait: dispatcher.MaxPollWait,
		})
		took := time.Since(start)
		if err != nil || !slices.Equal(polledIDs(got), []string{ev.ID}) ||
			took < 5*time.Second || took > 7*time.Second {
			t.Errorf("got %v, %v after %v; want %s a second after its time at most", polledIDs(got), err,
				took, ev.ID)
		}
	})
}

// TestPollOfWhatExpires has one of two events expire after it was read, and before it is
// acknowledged: it is canceled, and the other one delivered.
func TestPollOfWhatExpires(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, pulling())
		e.run()
		sub := e.subscribe("")
		expires := e.enqueue(func(ev *events.Event) { ev.ExpiresAt = time.Now().Add(time.Minute) })
		stays := e.enqueue(func(*events.Event) {})
		got := e.poll(sub.ID, "", 10)
		if !slices.Equal(polledIDs(got), []string{expires.ID, stays.ID}) {
			t.Fatalf("got %v, want both", polledIDs(got))
		}
		pass(time.Hour)
		if got := e.poll(sub.ID, got.Cursor, 10); len(got.Deliveries) != 0 {
			t.Errorf("after the acknowledgment: got %v, want nothing", polledIDs(got))
		}
		if d := e.wantState(expires, store.Canceled); d.LastError != "expired" {
			t.Errorf("it is canceled with %q, want expired", d.LastError)
		}
		e.wantState(stays, store.Delivered)
	})
}

// slowEvents is a store whose events take a while to be read.
type slowEvents struct{ store.Store }

func (s slowEvents) Event(
	ctx context.Context, tenant, id string,
) (store.StoredEvent, error) {
	pass(time.Minute)
	return s.Store.Event(ctx, tenant, id)
}

// TestPollFindsNoneThatHasExpiredMeanwhile has an event expire while it is being read.
func TestPollFindsNoneThatHasExpiredMeanwhile(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, slowEvents{s}, pulling())
		sub := e.subscribe("")
		ends, err := events.New("order.created", 1)
		if err != nil {
			t.Fatal(err)
		}
		ends.ExpiresAt = time.Now().Add(time.Second)
		stays, err := events.New("order.created", 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Publish(t.Context(), ends, stays); err != nil {
			t.Fatal(err)
		}
		if got := polledIDs(e.poll(sub.ID, "", 5)); !slices.Equal(got, []string{stays.ID}) {
			t.Errorf("got %v, want %v alone", got, stays.ID)
		}
	})
}

// TestPollRefuses has requests that are not valid, and more polls than a tenant may have.
func TestPollRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(), pulling())
		sub, pushed := e.subscribe(""), e.subscribe("https://a.example/hook")
		for _, tt := range []struct {
			field string
			q     dispatcher.PollRequest
		}{
			{"id", dispatcher.PollRequest{SubscriptionID: "x"}},
			{"id", dispatcher.PollRequest{SubscriptionID: pushed.ID}},
			{"max", dispatcher.PollRequest{SubscriptionID: sub.ID, Max: -1}},
			{"max", dispatcher.PollRequest{SubscriptionID: sub.ID, Max: dispatcher.MaxPoll + 1}},
			{"wait", dispatcher.PollRequest{SubscriptionID: sub.ID, Wait: -1}},
			{"wait", dispatcher.PollRequest{SubscriptionID: sub.ID, Wait: dispatcher.MaxPollWait + 1}},
			{"cursor", dispatcher.PollRequest{SubscriptionID: sub.ID, Cursor: "x"}},
			{"cursor", dispatcher.PollRequest{SubscriptionID: sub.ID, Cursor: "AQ"}},
			{"cursor", dispatcher.PollRequest{SubscriptionID: sub.ID, Cursor: "AQECAwQFBgcI="}},
		} {
			_, err := e.Poll(t.Context(), tt.q)
			var invalid *events.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != tt.field {
				t.Errorf("%+v: got error %v, want an InvalidError of %s", tt.q, err, tt.field)
			}
		}
		if _, err := e.Ping(t.Context(), sub.ID); err == nil {
			t.Error("a ping of one without a URL succeeded")
		}
		if _, err := e.Poll(t.Context(), dispatcher.PollRequest{
			SubscriptionID: "3e639566-29fa-450d-a59f-ae3c25d7260f",
		}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown one: got error %v, want ErrNotFound", err)
		}

		theirs, err := e.Subscribe(t.Context(), store.Subscription{Tenant: "other"})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, dispatcher.MaxPolls)
		for range dispatcher.MaxPolls {
			go func() {
				_, err := e.Poll(t.Context(), dispatcher.PollRequest{SubscriptionID: sub.ID,
					Wait: dispatcher.MaxPollWait})
				ended <- err
			}()
		}
		synctest.Wait()
		_, err = e.Poll(t.Context(), dispatcher.PollRequest{SubscriptionID: sub.ID})
		var quota *dispatcher.QuotaError
		if !errors.As(err, &quota) || quota.Kind != dispatcher.QuotaPolls {
			t.Errorf("one poll more: got error %v, want a QuotaError", err)
		}
		e.poll(theirs.ID, "", 1) // which nobody keeps back
		for range dispatcher.MaxPolls {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		e.poll(sub.ID, "", 1)
	})
}

// TestPullIsForHostsThatAllowIt has subscriptions without a URL where the host allows none, or no
// more.
func TestPullIsForHostsThatAllowIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(), pulling())
		old := e.subscribe("")
		e.restart(nil)
		var invalid *events.InvalidError
		if _, err := e.Subscribe(t.Context(), store.Subscription{}); !errors.As(err, &invalid) ||
			invalid.Field != "url" {
			t.Errorf("a new one: got error %v, want one of the url", err)
		}
		sub := e.subscribe("https://a.example/hook")
		_, err := e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.URL = ""
			return nil
		})
		if !errors.As(err, &invalid) || invalid.Field != "url" {
			t.Errorf("a URL that is removed: got error %v, want one of the url", err)
		}
		e.must(e.Update(t.Context(), old.ID, func(s *store.Subscription) error {
			s.Name = "renamed"
			return nil
		}))
		ids := publishedIDs(e, 1)
		if got := polledIDs(e.poll(old.ID, "", 1)); !slices.Equal(got, ids) {
			t.Errorf("one from before: got %v, want %v", got, ids)
		}
	})
	_, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		AllowPull: true, Filter: func(store.Subscription, events.Event) bool { return true },
	})
	if err == nil || !strings.Contains(err.Error(), "AllowPull has no effect beside Filter") {
		t.Errorf("AllowPull with Filter: got error %v", err)
	}
}
