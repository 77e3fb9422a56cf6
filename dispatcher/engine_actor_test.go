package dispatcher_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// TestActorsAreTold has somebody do everything that an Action is of, and wants each to be told with
// who did it, and logged with nothing that is secret.
func TestActorsAreTold(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var got []dispatcher.Action
		var logged bytes.Buffer
		e := newEngine(t, s, &dispatcher.Options{
			Logger:   slog.New(slog.NewJSONHandler(&logged, nil)),
			Observer: &dispatcher.Observer{OnAction: func(a dispatcher.Action) { got = append(got, a) }},
		})
		e.run()
		ctx := dispatcher.WithActor(t.Context(), "ada")
		sub := e.must(e.Subscribe(ctx, store.Subscription{
			Tenant: "acme", URL: "https://a.example/canary", Secrets: nil,
		}))
		ev := publishFor(t, e, "acme", "order.created")
		settle()
		status := func(status store.Status) func(*store.Subscription) error {
			return func(sub *store.Subscription) error { sub.Status = status; return nil }
		}
		do := func(_ any, err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		do(e.Subscribe(ctx, sub))
		do(e.Update(ctx, sub.ID, func(sub *store.Subscription) error { sub.Name = "A"; return nil }))
		do(e.RotateSecret(ctx, sub.ID, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 0))
		do(e.Pause(ctx, sub.ID))
		do(e.Resume(ctx, sub.ID))
		do(e.Update(ctx, sub.ID, status(store.Paused)))
		do(e.Update(ctx, sub.ID, status(store.Subscribed)))
		do(e.Update(ctx, sub.ID, status(store.Unsubscribed)))
		do(e.Update(ctx, sub.ID, status(store.Subscribed)))
		do(e.Ping(ctx, sub.ID))
		do(nil, e.Redeliver(ctx, sub.ID, ev.ID))
		settle()
		do(e.Replay(ctx, store.DeliveryQuery{Tenant: "acme", SubscriptionID: sub.ID}))
		settle()
		do(nil, e.Erase(ctx, "acme", ev.ID))
		do(e.EraseTenant(ctx, "acme"))
		do(e.Unsubscribe(ctx, sub.ID))
		do(nil, e.Delete(ctx, sub.ID))

		act := func(kind dispatcher.ActionKind) dispatcher.Action {
			return dispatcher.Action{Kind: kind, Actor: "ada", Tenant: "acme", SubscriptionID: sub.ID}
		}
		redeliver, erase := act(dispatcher.ActionRedeliver), act(dispatcher.ActionErase)
		redeliver.EventID, erase.EventID, erase.SubscriptionID = ev.ID, ev.ID, ""
		replay, eraseTenant := act(dispatcher.ActionReplay), act(dispatcher.ActionEraseTenant)
		replay.Count, eraseTenant.SubscriptionID = 1, ""
		want := []dispatcher.Action{
			act(dispatcher.ActionSubscribe), act(dispatcher.ActionSubscribe),
			act(dispatcher.ActionUpdate), act(dispatcher.ActionRotate),
			act(dispatcher.ActionPause), act(dispatcher.ActionResume),
			act(dispatcher.ActionPause), act(dispatcher.ActionResume),
			act(dispatcher.ActionUnsubscribe), act(dispatcher.ActionSubscribe),
			act(dispatcher.ActionPing), redeliver, replay, erase, eraseTenant,
			act(dispatcher.ActionUnsubscribe), act(dispatcher.ActionDelete),
		}
		if !slices.Equal(got, want) {
			t.Errorf("OnAction was told\n%+v, want\n%+v", got, want)
		}
		var kinds []dispatcher.ActionKind
		for dec := json.NewDecoder(&logged); dec.More(); {
			var r struct {
				Msg, Action, Actor, Tenant string
				SubscriptionID             string `json:"subscription_id"`
				EventID                    string `json:"event_id"`
			}
			if err := dec.Decode(&r); err != nil {
				t.Fatal(err)
			}
			if r.Msg != "outhook: action" {
				continue
			}
			kinds = append(kinds, dispatcher.ActionKind(r.Action))
			w := want[min(len(kinds), len(want))-1]
			if r.Action != string(w.Kind) || r.Actor != "ada" || r.Tenant != "acme" ||
				r.SubscriptionID != w.SubscriptionID || r.EventID != w.EventID {
				t.Errorf("the log has %+v, want %+v", r, w)
			}
		}
		if len(kinds) != len(want) {
			t.Errorf("the log has the actions %q, want %d", kinds, len(want))
		}
	})
}

// TestActionsWithoutAnActor are told, and not logged: also what Run does.
func TestActionsWithoutAnActor(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var got []dispatcher.Action
		var logged bytes.Buffer
		e := newEngine(t, s, &dispatcher.Options{
			Logger:   slog.New(slog.NewJSONHandler(&logged, nil)),
			Observer: &dispatcher.Observer{OnAction: func(a dispatcher.Action) { got = append(got, a) }},
		})
		sub := e.subscribe("https://a.example/hook")
		e.status(http.StatusGone)
		e.run()
		e.publish("order.created", 1)
		pass(time.Second)
		e.stop()
		want := []dispatcher.Action{
			{Kind: dispatcher.ActionSubscribe, SubscriptionID: sub.ID},
			{Kind: dispatcher.ActionDisable, SubscriptionID: sub.ID},
		}
		if !slices.Equal(got, want) {
			t.Errorf("OnAction was told %+v, want %+v", got, want)
		}
		if strings.Contains(logged.String(), "outhook: action") {
			t.Errorf("the log has an action of nobody: %s", &logged)
		}
	})
}

// TestFailedCallsAreNoActions: nothing was done.
func TestFailedCallsAreNoActions(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Observer: &dispatcher.Observer{
			OnAction: func(a dispatcher.Action) { t.Errorf("OnAction was told %+v", a) },
		}})
		const id = "3e639566-29fa-450d-a59f-ae3c25d7260f"
		ctx := t.Context()
		fails := func(what string, err error) {
			t.Helper()
			if err == nil {
				t.Errorf("%s has succeeded", what)
			}
		}
		_, err := e.Subscribe(ctx, store.Subscription{URL: "ftp://a.example/"})
		fails("Subscribe", err)
		_, err = e.Pause(ctx, id)
		fails("Pause", err)
		_, err = e.Ping(ctx, id)
		fails("Ping", err)
		_, err = e.Replay(ctx, store.DeliveryQuery{Limit: 3})
		fails("Replay", err)
		fails("Redeliver", e.Redeliver(ctx, id, "x"))
		fails("Erase", e.Erase(ctx, "", "x"))
		fails("Delete", e.Delete(ctx, id))
	})
}

func TestWithActor(t *testing.T) {
	long := strings.Repeat("ä", dispatcher.MaxActor)
	for _, test := range []struct{ name, want string }{
		{"ada@example.com", "ada@example.com"},
		{"Ada Lovelace (support)", "Ada Lovelace (support)"},
		{"a\nlevel=ERROR", "a\ufffdlevel=ERROR"},
		{"a\u202eb\u200bc\x00", "a\ufffdb\ufffdc\ufffd"},
		{"\xff", "\ufffd"},
		{long + "x", long},
		{"", ""},
	} {
		ctx := dispatcher.WithActor(context.Background(), test.name)
		if got := dispatcher.Actor(ctx); got != test.want {
			t.Errorf("WithActor of %q: got %q, want %q", test.name, got, test.want)
		}
	}
	if got := dispatcher.Actor(context.Background()); got != "" {
		t.Errorf("without an actor: got %q", got)
	}
	ctx := dispatcher.WithActor(dispatcher.WithActor(context.Background(), "a"), "b")
	if got := dispatcher.Actor(ctx); got != "b" {
		t.Errorf("the inner one counts: got %q, want b", got)
	}
}
