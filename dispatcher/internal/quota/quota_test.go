package quota_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/quota"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// refused is the error of a refusal.
type refused struct {
	tenant, kind string
	limit        int
	retryAfter   time.Duration
}

func (r *refused) Error() string { return fmt.Sprintf("%+v", *r) }

func refuse(tenant, kind string, limit int, retryAfter time.Duration) error {
	return &refused{tenant, kind, limit, retryAfter}
}

// want checks that err is the refusal of a kind, or nil if that is empty.
func want(t *testing.T, what string, err error, kind string) {
	t.Helper()
	var r *refused
	switch {
	case kind == "" && err != nil:
		t.Errorf("%s: got %v, want none", what, err)
	case kind != "" && (!errors.As(err, &r) || r.kind != kind || r.retryAfter <= 0):
		t.Errorf("%s: got %v, want a refusal for %s", what, err, kind)
	}
}

// unlimited has no limit.
var unlimited = quota.Limits{
	Subscriptions: -1, SubscriptionBytes: -1, Pending: -1, PingsPerMinute: -1, ReplaysPerMinute: -1,
}

// subscription returns one of a tenant that is stored.
func subscription(t *testing.T, s store.Store, tenant string) store.Subscription {
	t.Helper()
	sub, err := s.CreateSubscription(t.Context(), store.Subscription{
		ID: "3e639566-29fa-450d-a59f-ae3c25d7260f", Tenant: tenant, URL: "https://a.example/hook",
		Status: store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestLimitsOfATenant(t *testing.T) {
	s := memstore.New()
	limits := func(tenant string) (quota.Limits, error) {
		if tenant != "small" {
			return unlimited, nil
		}
		return quota.Limits{Subscriptions: 1, SubscriptionBytes: 30, Pending: 2,
			PingsPerMinute: 1, ReplaysPerMinute: 1}, nil
	}
	k := quota.New(s, false, limits, refuse)
	ctx := t.Context()
	q, err := k.Of("small")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "room for the first", k.CheckRoom(ctx, &q, "small"), "")
	sub := subscription(t, s, "small")
	want(t, "room for a second", k.CheckRoom(ctx, &q, "small"), quota.Subscriptions)
	if got, err := k.OfSubscription(ctx, sub.ID); got != q || err != nil {
		t.Errorf("limits of the subscription: got %+v, %v, want %+v", got, err, q)
	}
	large, larger := sub.Clone(), sub.Clone()
	large.Name, larger.Name = "a name of 20 letters", "a name of 21 letters."
	want(t, "a small one", k.CheckSize(&q, &sub, &store.Subscription{}), "")
	want(t, "a large one", k.CheckSize(&q, &large, &sub), quota.SubscriptionBytes)
	want(t, "one that was as large", k.CheckSize(&q, &large, &larger), "")

	tx := storeTx{s}
	event := func(tenant string) []events.Event {
		e, err := events.New("a.b", 1)
		if err != nil {
			t.Fatal(err)
		}
		e.Tenant = tenant
		return []events.Event{e}
	}
	for range 2 {
		want(t, "an event", k.CheckPending(ctx, tx, event("small")), "")
		if err := s.Enqueue(ctx, event("small")...); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "one too many", k.CheckPending(ctx, tx, event("small")), quota.Pending)
	want(t, "another's first",
		k.CheckPending(ctx, tx, append(event("other"), event("small")...)), quota.Pending)
	want(t, "another's", k.CheckPending(ctx, tx, event("other")), "")
}

// storeTx is a store as a transaction.
type storeTx struct{ *memstore.Store }

func (storeTx) OnCommit(func()) bool { return false }

func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		sub := subscription(t, s, "small")
		k := quota.New(s, false, func(string) (quota.Limits, error) {
			q := unlimited
			q.ReplaysPerMinute = 2
			return q, nil
		}, refuse)
		for range 2 {
			want(t, "a replay", k.AllowReplay("small"), "")
		}
		want(t, "one more", k.AllowReplay("small"), quota.Replays)
		want(t, "another tenant's", k.AllowReplay("other"), "")
		for range 5 {
			want(t, "a ping", k.AllowPing(&sub), "")
		}
		want(t, "one more at once", k.AllowPing(&sub), quota.SubscriptionPings)
		timer := time.NewTimer(time.Minute)
		<-timer.C
		want(t, "a replay a minute later", k.AllowReplay("small"), "")
		want(t, "a ping a minute later", k.AllowPing(&sub), "")
	})
}

func TestErrorOfTheHost(t *testing.T) {
	s := memstore.New()
	broken := errors.New("broken")
	sub := subscription(t, s, "a")
	k := quota.New(s, false, func(string) (quota.Limits, error) { return unlimited, broken }, refuse)
	_, of := k.Of("a")
	_, ofSubscription := k.OfSubscription(context.Background(), sub.ID)
	for what, err := range map[string]error{
		"Of": of, "OfSubscription": ofSubscription, "AllowReplay": k.AllowReplay("a"),
		"AllowPing": k.AllowPing(&sub),
		"CheckPending": k.CheckPending(t.Context(), storeTx{s},
			[]events.Event{{Tenant: "a"}}),
	} {
		if !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want the error of the host", what, err)
		}
	}
}

// TestTheSameForAll: then nothing is asked or counted for a Publish.
func TestTheSameForAll(t *testing.T) {
	k := quota.New(memstore.New(), true, func(string) (quota.Limits, error) {
		return unlimited, nil
	}, refuse)
	if err := k.CheckPending(t.Context(), nil, []events.Event{{Tenant: "a"}}); err != nil {
		t.Error(err)
	}
	if _, err := k.OfSubscription(t.Context(), "unknown"); err != nil {
		t.Errorf("OfSubscription: %v; it should not have read the subscription", err)
	}
}
