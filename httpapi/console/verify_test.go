package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// A webhook whose endpoint has not agreed says so, with what is kept for it, and its owner has it
// asked; the answer is shown.
func TestVerify(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{
		Verify: dispatcher.Verification{Method: dispatcher.VerifyChallenge},
	})
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	h.r.Always(http.StatusInternalServerError)
	sub, err := h.d.Subscribe(t.Context(),
		store.Subscription{Tenant: "acme", URL: "https://shop.example/in"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := events.New("order.created", 1)
	if err == nil {
		e.Tenant = "acme"
		err = h.d.Publish(t.Context(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
	page := "webhook?id=" + sub.ID
	a := b.get(page)
	for _, want := range []string{"unverified", "has not agreed yet", "1 delivery so far",
		`action="verify"`, "Ask it now"} {
		if !a.shows(want) {
			t.Errorf("the page does not show %q: %s", want, a.body)
		}
	}
	a = b.get("delivery?id=" + sub.ID + "&event=" + e.ID)
	if !a.shows("the endpoint has not agreed yet") {
		t.Errorf("the delivery does not say what it waits for: %s", a.body)
	}
	if a := b.get("list?state=unverified"); !a.shows("shop.example") {
		t.Errorf("the list of those that are unverified does not have it: %s", a.body)
	}
	if a := b.post("verify", url.Values{"id": {sub.ID}}); !a.shows("500") {
		t.Errorf("the answer is not shown: %s", a.body)
	}
	h.r.Always(http.StatusOK)
	a = b.post("verify", url.Values{"id": {sub.ID}})
	if !a.shows("The endpoint has agreed.") || a.shows("has not agreed yet") {
		t.Errorf("the proof is not shown: %s", a.body)
	}
	if got := h.do(http.MethodPost, "verify", url.Values{"id": {sub.ID}}, "X-Tenant",
		"other"); got.StatusCode != http.StatusNotFound {
		t.Errorf("another tenant's: got %d, want 404", got.StatusCode)
	}
	if got := h.do(http.MethodPost, "verify", url.Values{"id": {sub.ID}}, "X-Tenant", "acme",
		"X-Look", "yes"); got.StatusCode != http.StatusForbidden {
		t.Errorf("one who may only look: got %d, want 403", got.StatusCode)
	}
}

// A request for proof that is refused says why: the URL was changed while its endpoint was asked,
// or the host was asked as often as it may be.
func TestVerifyRefused(t *testing.T) {
	var move atomic.Bool
	var h *host
	h = newHost(t, nil, &dispatcher.Options{
		Verify: dispatcher.Verification{Method: dispatcher.VerifyChallenge},
		Quota:  func(string) dispatcher.Quota { return dispatcher.Quota{PingsPerMinute: 10_000} },
		Transform: func(
			ctx context.Context, s store.Subscription, _ events.Event, _ *dispatcher.Request,
		) error {
			if !move.CompareAndSwap(true, false) {
				return nil
			}
			_, err := h.d.Update(ctx, s.ID, func(s *store.Subscription) error {
				s.URL = "https://moved.example/in"
				return nil
			})
			return err
		},
	})
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	subscribe := func(url string) string {
		t.Helper()
		sub, err := h.d.Subscribe(t.Context(), store.Subscription{Tenant: "acme", URL: url})
		if err != nil {
			t.Fatal(err)
		}
		return sub.ID
	}
	id := subscribe("https://moving.example/in")
	h.eventually("Run has asked, and asks no more", func() bool {
		sub, err := h.d.Subscription(t.Context(), id)
		return err == nil && sub.Status == store.Subscribed
	})
	move.Store(true)
	a := b.post("verify", url.Values{"id": {id}})
	if a.StatusCode != http.StatusConflict || !a.shows("The URL was changed") ||
		!a.shows("Ask again.") {
		t.Errorf("moved meanwhile: got %d %s, want 409 and to ask again", a.StatusCode, a.body)
	}
	const bound = "asked to agree as often as it may be, which is 30 times a minute"
	for range 100 { // each may be asked five times at once
		id := subscribe("https://busy.example/in")
		for range 5 {
			a = b.post("verify", url.Values{"id": {id}})
			if a.StatusCode == http.StatusTooManyRequests && a.shows(bound) {
				return
			}
		}
	}
	t.Errorf("one host: the last answer is %d %s, want 429 and %q", a.StatusCode, a.body, bound)
}

// A webhook without a URL is shown as such, and can be edited.
func TestPolledWebhook(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{AllowPull: true})
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	sub, err := h.d.Subscribe(t.Context(), store.Subscription{Tenant: "acme", Name: "nightly"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := events.New("order.created", 1)
	if err == nil {
		e.Tenant = "acme"
		err = h.d.Publish(t.Context(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
	a := b.get("webhook?id=" + sub.ID)
	if !a.shows("polled") || !a.shows("(read by poll)") || a.shows("Send a test") ||
		!a.shows("1 delivery to be read by poll, the oldest") {
		t.Errorf("the page: got %s, want that it is read by poll, and no test", a.body)
	}
	if a := b.get("delivery?id=" + sub.ID + "&event=" + e.ID); !a.shows("to be read by poll") {
		t.Errorf("the delivery does not say what it waits for: %s", a.body)
	}
	if a := b.get("example?type=order.created"); a.shows("nightly") {
		t.Errorf("it can be chosen for an example, for which there is no endpoint: %s", a.body)
	}
	if a := b.get("list?state=polled"); !a.shows("nightly") {
		t.Errorf("the list of those that are read by poll does not have it: %s", a.body)
	}
	if a := b.get("list?state=active"); a.shows("nightly") {
		t.Errorf("the list of those that are active has it: %s", a.body)
	}
	if a := b.get("edit?id=" + sub.ID); strings.Contains(a.body, `type="url" value="" required`) {
		t.Errorf("the form wants a URL: %s", a.body)
	}
	b.post("edit", url.Values{"id": {sub.ID}, "name": {"weekly"}, "url": {""}})
	if got, err := h.d.Subscription(t.Context(), sub.ID); err != nil || got.Name != "weekly" ||
		got.URL != "" {
		t.Errorf("saved: got %+v, %v", got, err)
	}
}
