package dispatchertest_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// shop is a host.
type shop struct{ hooks *dispatcher.Dispatcher }

func (s shop) order(ctx context.Context, item string) error {
	e, err := events.New("order.created", map[string]string{"item": item})
	if err != nil {
		return err
	}
	return s.hooks.Publish(ctx, e)
}

// This is a host's whole test, as the package comment has it.
func TestOrderSendsWebhook(t *testing.T) {
	d, r := dispatchertest.New(t, nil)
	r.Subscribe("order.created")
	if err := (shop{d}).order(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	got := r.Next()
	if got.Type != "order.created" || string(got.Payload) != `{"item":"tea"}` {
		t.Errorf("got %s %s", got.Type, got.Payload)
	}
}

func TestAnswerIsRetried(t *testing.T) {
	d, r := dispatchertest.New(t, nil)
	r.Subscribe()
	r.Answer(http.StatusInternalServerError, http.StatusFound)
	if err := (shop{d}).order(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	for i, status := range []int{500, 302, 200} {
		if got := r.Next(); got.Attempt != i+1 || got.Status != status {
			t.Errorf("got attempt %d, answered %d; want %d, %d", got.Attempt, got.Status, i+1, status)
		}
	}
	if n := len(r.All()); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

func TestDaysPassInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := dispatchertest.New(t,
			&dispatcher.Options{Backoff: dispatcher.Backoff{Initial: 24 * time.Hour}})
		sub := r.Subscribe("order.*")
		r.Answer(500)
		if err := (shop{d}).order(t.Context(), "tea"); err != nil {
			t.Fatal(err)
		}
		first := r.Next()
		<-time.After(48 * time.Hour)
		second := r.Next()
		if first.ID != second.ID || second.Attempt != 2 {
			t.Errorf("got %s, attempt %d; want %s again, attempt 2", second.ID, second.Attempt, first.ID)
		}
		synctest.Wait()
		page, err := d.Deliveries(t.Context(), store.DeliveryQuery{SubscriptionID: sub.ID})
		if err != nil || len(page.Items) != 1 || page.Items[0].State != store.Delivered {
			t.Errorf("got %+v, %v; want one delivery, delivered", page.Items, err)
		}
	})
}
