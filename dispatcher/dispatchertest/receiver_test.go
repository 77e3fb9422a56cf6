package dispatchertest_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

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

// TestAnswers shows which answers count: an endpoint's own before those for all, each once before
// always.
func TestAnswers(t *testing.T) {
	d, r := dispatchertest.New(t, &dispatcher.Options{Backoff: dispatcher.Backoff{
		Initial: time.Millisecond, Max: time.Millisecond, MaxAttempts: 4,
	}})
	one, other := r.Subscribe("one"), r.Subscribe("other")
	one.Always(500)
	one.Answer(501)
	r.Always(400)
	r.Answer(401)
	for _, name := range []string{"one", "other"} {
		e, err := events.New(name, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		endpoint *dispatchertest.Endpoint
		want     []int
	}{{one, []int{501, 500, 500, 500}}, {other, []int{401, 400, 400, 400}}} {
		for i, want := range tt.want {
			if got := tt.endpoint.Next(); got.Status != want || got.URL != tt.endpoint.URL {
				t.Errorf("attempt %d at %s: got %d at %s, want %d", i+1, tt.endpoint.URL, got.Status,
					got.URL, want)
			}
		}
		if n := len(tt.endpoint.All()); n != len(tt.want) {
			t.Errorf("at %s: got %d requests, want %d", tt.endpoint.URL, n, len(tt.want))
		}
	}
}

// TestAt looks at an endpoint that the host itself has subscribed.
func TestAt(t *testing.T) {
	d, r := dispatchertest.New(t, nil)
	const url = "https://own.example/hook"
	r.At(url).Answer(500)
	if _, err := d.Subscribe(t.Context(), store.Subscription{URL: url}); err != nil {
		t.Fatal(err)
	}
	if err := (shop{d}).order(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{500, 200} {
		if got := r.At(url).Next(); got.Status != want {
			t.Errorf("got status %d, want %d", got.Status, want)
		}
	}
}

// A test that prints a delivery sees what it is, in one line.
func TestDeliveryPrints(t *testing.T) {
	d, r := dispatchertest.New(t, nil)
	sub := r.Subscribe()
	sub.Answer(500)
	if err := (shop{d}).order(t.Context(), "tea"); err != nil {
		t.Fatal(err)
	}
	got := r.Next()
	want := fmt.Sprintf(`order.created %s, attempt 1 to %s, answered 500: {"item":"tea"}`,
		got.ID, sub.URL)
	if text := fmt.Sprint(got); text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}
