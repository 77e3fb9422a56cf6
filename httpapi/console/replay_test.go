package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// canceled makes a webhook with n deliveries that wait to be replayed.
func (h *host) canceled(n int) store.Subscription {
	h.t.Helper()
	ctx := h.t.Context()
	sub := h.subscribe("acme", "crm")
	if _, err := h.d.Pause(ctx, sub.ID); err != nil {
		h.t.Fatal(err)
	}
	for i := range n {
		if err := h.d.Publish(ctx, testEvent("acme", fmt.Sprintf("order-%d", i))); err != nil {
			h.t.Fatal(err)
		}
	}
	if _, err := h.d.Unsubscribe(ctx, sub.ID); err != nil {
		h.t.Fatal(err)
	}
	// Paused again, what is pending stays so and can be counted.
	for _, status := range []store.Status{store.Subscribed, store.Paused} {
		if _, err := h.d.Update(ctx, sub.ID, func(s *store.Subscription) error {
			s.Status = status
			return nil
		}); err != nil {
			h.t.Fatal(err)
		}
	}
	return sub
}

// pending returns how many deliveries of a webhook are pending.
func (h *host) pending(id string) int {
	h.t.Helper()
	stats, err := h.d.SubscriptionStats(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return stats.Pending
}

// A replay is of what its page has counted, a step for each form, and a reload of the page between
// two of them sends nothing.
func TestReplaySteps(t *testing.T) {
	h := newHost(t, nil, nil)
	n := dispatcher.MaxReplayStep + 3
	sub := h.canceled(n)
	page := h.must("replay?id="+sub.ID+"&state=canceled&last=1h", "X-Tenant", "acme")
	if !strings.Contains(page, "Replay 1,003 deliveries?") ||
		!strings.Contains(page, "Webhook: crm") ||
		!strings.Contains(page, "State: canceled") || !strings.Contains(page, "Published from: ") {
		t.Errorf("got %s, want the count, the webhook and the filter", page)
	}
	form := formOf(t, page, "replay")
	since, err1 := time.Parse(time.RFC3339, form.Get("since"))
	until, err2 := time.Parse(time.RFC3339, form.Get("until"))
	if err1 != nil || err2 != nil || form.Get("last") != "" || until.Sub(since).Round(time.Minute) !=
		time.Hour {
		t.Errorf("got the form %v, want the fixed times of the last hour", form)
	}
	between := h.post("replay", form, "X-Tenant", "acme")
	for range 2 {
		page = h.must(between, "X-Tenant", "acme")
		if got := h.pending(sub.ID); got != dispatcher.MaxReplayStep ||
			!strings.Contains(page, "1,000 deliveries so far") || !strings.Contains(page, "data-go-on") {
			t.Errorf("got %d pending, and %s; want one step", got, page)
		}
	}
	end := h.post("replay", formOf(t, page, "replay"), "X-Tenant", "acme")
	if got := h.pending(sub.ID); got != n || !strings.HasPrefix(end, "deliveries?") {
		t.Errorf("got %d pending and %s, want all and the list", got, end)
	}
	if page := h.must(end, "X-Tenant", "acme"); !strings.Contains(page,
		"1,003 deliveries are pending") {
		t.Errorf("got %s, want how many were replayed", page)
	}
}

// A step that is refused says so on the page that goes on from there.
func TestReplayStepRefused(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{Quota: func(string) dispatcher.Quota {
		return dispatcher.Quota{ReplaysPerMinute: 1}
	}})
	sub := h.canceled(dispatcher.MaxReplayStep + 3)
	form := url.Values{"id": {sub.ID}, "state": {"canceled"}}
	form = formOf(t, h.must(h.post("replay", form, "X-Tenant", "acme"), "X-Tenant", "acme"), "replay")
	a := h.do(http.MethodPost, "replay", form, "X-Tenant", "acme")
	if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" ||
		strings.Contains(a.body, "data-go-on") ||
		formOf(t, a.body, "replay").Encode() != form.Encode() {
		t.Errorf("got %d %s, want 429 and the same form", a.StatusCode, a.body)
	}
}

// A list whose filter is not the one that was asked for leads to no replay.
func TestNoReplayOfAWrongFilter(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	for filter, want := range map[string]bool{"": true, "&last=1h": true, "&last=2h": false,
		"&since=yesterday": false, "&state=nonsense": false} {
		page := h.must("deliveries?id="+sub.ID+filter, "X-Tenant", "acme")
		if got := strings.Contains(page, "Replay all that match"); got != want {
			t.Errorf("%s: got a link to a replay %t, want %t", filter, got, want)
		}
	}
}

// Of a selection, each is sent once, and none if one of them can't be. If it fails in the middle,
// the list says how many were sent.
func TestRedeliverAllOrNone(t *testing.T) {
	h := newHost(t, nil, nil)
	sub, off := h.subscribe("acme", "crm"), h.subscribe("acme", "shop")
	h.publish("acme", "order-1", `{}`)
	h.publish("acme", "order-2", `{}`)
	if _, err := h.d.Unsubscribe(t.Context(), off.ID); err != nil {
		t.Fatal(err)
	}
	attempts := func(event string) int {
		all, err := h.d.Attempts(t.Context(), sub.ID, event)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	one, two := sub.ID+"/order-1", sub.ID+"/order-2"
	form := url.Values{"many": {"1"}, "d": {one, off.ID + "/order-1"}}
	a := h.do(http.MethodPost, "redeliver", form, "X-Tenant", "acme")
	if a.StatusCode != http.StatusConflict || !a.shows("The webhook shop is off") {
		t.Errorf("one is off: got %d %s, want 409 and its name", a.StatusCode, a.body)
	}
	h.post("redeliver", url.Values{"many": {"1"}, "d": {two, two}}, "X-Tenant", "acme")
	h.eventually("order-2 to be sent again", func() bool { return attempts("order-2") == 2 })
	if n := attempts("order-1"); n != 1 {
		t.Errorf("order-1 was sent %d times, though one beside it can't be", n)
	}
}

func TestRedeliverSomeSelected(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{Quota: func(string) dispatcher.Quota {
		return dispatcher.Quota{ReplaysPerMinute: 2}
	}})
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	h.publish("acme", "order-2", `{}`)
	one := sub.ID + "/order-1"
	twice := url.Values{"many": {"1"}, "d": {one, one}} // which takes one of the quota
	if got := h.post("redeliver", twice, "X-Tenant", "acme"); got != "deliveries?done=redeliver" {
		t.Errorf("the same twice: got %s", got)
	}
	form := url.Values{"many": {"1"}, "d": {sub.ID + "/order-1", sub.ID + "/order-2"}}
	to := h.post("redeliver", form, "X-Tenant", "acme")
	if page := h.must(to, "X-Tenant", "acme"); !strings.Contains(page, "1 of 2 sent again") {
		t.Errorf("got %s, want how many were sent", page)
	}
}
