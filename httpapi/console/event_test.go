package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Where is my event? Each webhook of the tenant got it, or the page says why not.
func TestEvent(t *testing.T) {
	h := newHost(t, nil, nil)
	got := h.subscribe("acme", "got")
	other := h.subscribe("acme", "other")
	off := h.subscribe("acme", "off")
	if _, err := h.d.Update(t.Context(), other.ID, func(s *store.Subscription) error {
		s.Events = []string{"invoice.*"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.d.Unsubscribe(t.Context(), off.ID); err != nil {
		t.Fatal(err)
	}
	stopped := h.subscribe("acme", "stopped")
	if _, err := h.d.Pause(t.Context(), stopped.ID); err != nil {
		t.Fatal(err)
	}
	h.subscribe("globex", "theirs")
	ev := testEvent("acme", "order-1")
	ev.Tags = []string{"vip", "order:17"}
	ev.NotBefore = time.Date(2026, 5, 3, 14, 0, 0, 0, time.UTC)
	ev.ExpiresAt = time.Date(9999, 5, 3, 15, 0, 0, 0, time.UTC)
	ev.Payload = []byte(`{"b":1.10,"a":12345678901234567890,"t":"x\u202ey"}`)
	if err := h.d.Publish(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
	h.eventually("the first attempt", func() bool {
		attempts, err := h.d.Attempts(t.Context(), got.ID, "order-1")
		return err == nil && len(attempts) == 1
	})
	for _, who := range [][]string{{"X-Tenant", "acme"}, {"X-Operator", "1"}} {
		body := h.must("event?id=order-1", who...)
		for _, want := range []string{
			"delivery?event=order-1&amp;id=" + got.ID, "it does not get this type", "it is off",
			"paused", // what that of the stopped one waits for
			`<a href="deliveries?tag=vip`,
			`href="deliveries?tag=order%3A17`, `<code>order:17</code>`, "Not before", "2026-05-03T14:00",
			"Expires", "9999-05-03T15:00",
			"&#34;b&#34;: 1.10,", "12345678901234567890",
		} {
			if !strings.Contains(body, want) {
				t.Errorf("%q: got %s, want %q in it", who, body, want)
			}
		}
		if strings.Contains(body, "theirs") {
			t.Errorf("%q: shows another tenant's webhook", who)
		}
	}
}

// The payload is shown as it was published to who may see it, and as Redact leaves it.
func TestPayload(t *testing.T) {
	const sent = `{"z":1.0,"a":[],"card":"4242-4242","q":"it's"}`
	look := func(r *http.Request) (console.Access, error) {
		return console.Access{Tenant: "acme", May: console.MaySend}, nil
	}
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", sent)
	page := "delivery?id=" + sub.ID + "&event=order-1"
	a := h.get(page, "X-Tenant", "acme")
	if !a.shows("\"z\": 1.0,\n  \"a\": [],") || !a.shows(`--data-raw '{"type":"order.created"`) ||
		!a.shows(`it'\''s`) || a.shows("canary") {
		t.Errorf("got %s, want the payload and a command without what is secret", a.body)
	}
	file := h.get("download?id="+sub.ID+"&event=order-1", "X-Tenant", "acme")
	if file.body != sent || file.Header.Get("Content-Type") != "application/octet-stream" ||
		file.Header.Get("Content-Disposition") != `attachment; filename="order-1.json"` ||
		!strings.Contains(file.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("got %v %s, want the bytes as a file", file.Header, file.body)
	}

	mux := http.NewServeMux()
	if err := console.Mount(mux, "/admin/hooks/", h.d, look, nil); err != nil {
		t.Fatal(err)
	}
	h.handler = mux
	for _, page := range []string{page, "event?id=order-1"} {
		if a := h.get(page); a.StatusCode != 200 || a.shows("4242") || !a.shows("You may not see it.") {
			t.Errorf("%s without MayPayloads: got %d %s", page, a.StatusCode, a.body)
		}
	}
	if a := h.get("download?id=" + sub.ID + "&event=order-1"); a.StatusCode != 403 {
		t.Errorf("a download without MayPayloads: got %d, want 403", a.StatusCode)
	}

	redacted := newHost(t, &console.Options{
		Redact: func(s store.Subscription, e events.Event) []byte {
			if s.Tenant != "acme" || e.ID != "order-1" || string(e.Payload) != sent {
				t.Errorf("Redact gets %s %s %s", s.Tenant, e.ID, e.Payload)
			}
			return []byte(strings.ReplaceAll(string(e.Payload), "4242-4242", "****"))
		},
		TraceURL: func(trace string) string { return "https://traces.example/" + trace },
	}, nil)
	sub = redacted.subscribe("acme", "crm")
	e := events.Event{ID: "order-1", Type: "order.created", Tenant: "acme", Time: time.Now(),
		Payload: []byte(sent), Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	if err := redacted.d.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"delivery?id=" + sub.ID + "&event=order-1", "event?id=order-1",
		"download?id=" + sub.ID + "&event=order-1"} {
		a := redacted.get(page, "X-Tenant", "acme")
		if a.StatusCode != 200 || a.shows("4242") || !a.shows("****") {
			t.Errorf("%s: got %d %s, want it redacted", page, a.StatusCode, a.body)
		}
		if !strings.HasPrefix(page, "download") && !a.shows("https://traces.example/"+e.Trace) {
			t.Errorf("%s: got %s, want a link to the trace", page, a.body)
		}
	}
}

// What was sent and answered shows with an attempt, the values of the webhook's own headers do not;
// the address of the endpoint is the operator's.
func TestAttemptDetail(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{AttemptDetail: dispatcher.DetailOfAll})
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	a := h.get("delivery?id="+sub.ID+"&event=order-1", "X-Tenant", "acme")
	if !a.shows("Headers sent") || !a.shows("X-Token: ***") ||
		!strings.Contains(strings.ToLower(a.body), "webhook-id: order-1") {
		t.Errorf("got %s, want the headers that were sent", a.body)
	}
}

// The page of a pending delivery says what it waits for.
func TestWhyADeliveryWaits(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.canceled(1)
	h.post("replay", url.Values{"id": {sub.ID}, "state": {"canceled"}}, "X-Tenant", "acme")
	page := h.must("delivery?id="+sub.ID+"&event=order-0", "X-Tenant", "acme")
	if !strings.Contains(page, "the webhook is paused") {
		t.Errorf("got %s, want that it is paused", page)
	}
}

// slow is a store that takes its time to look for an event.
type slow struct {
	store.Store
	takes time.Duration
	asked map[string]int // tenants
}

func (s *slow) Event(ctx context.Context, tenant, id string) (store.StoredEvent, error) {
	s.asked[tenant]++
	select {
	case <-time.After(s.takes):
		return s.Store.Event(ctx, tenant, id)
	case <-ctx.Done():
		return store.StoredEvent{}, ctx.Err()
	}
}

var goOn = regexp.MustCompile(`href="([^"]+)">Go on<`)

// An operator's search for an event goes through the tenants for a bounded time, and says where to
// go on; nothing is left out, and hardly anything is looked at twice.
func TestEventSearchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tenants = 130
		slow := &slow{memstore.New(), 10 * time.Millisecond, make(map[string]int)}
		d, err := dispatcher.New(slow, &dispatcher.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range tenants {
			for range 2 {
				if _, err := d.Subscribe(t.Context(), store.Subscription{
					Tenant: fmt.Sprintf("tenant-%d", i), URL: "https://a.example/"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		last := fmt.Sprintf("tenant-%d", tenants-1)
		if err := d.Publish(t.Context(), testEvent(last, "order-1")); err != nil {
			t.Fatal(err)
		}
		who := func(*http.Request) (console.Access, error) {
			return console.Access{AnyTenant: true}, nil
		}
		handler, err := console.Handler(d, who, nil)
		if err != nil {
			t.Fatal(err)
		}
		pages := 0
		for path := "event?id=order-1"; ; pages++ {
			w, start := httptest.NewRecorder(), time.Now()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x/"+path, nil))
			if took := time.Since(start); took > 310*time.Millisecond {
				t.Errorf("%s: took %v, want 300 ms and one tenant at most", path, took)
			}
			next := goOn.FindStringSubmatch(w.Body.String())
			if next == nil {
				if w.Code != 200 || !strings.Contains(w.Body.String(), last) {
					t.Errorf("%s: got %d %s, want the event of %s", path, w.Code, w.Body, last)
				}
				break
			}
			if w.Code != http.StatusNotFound || pages > tenants {
				t.Fatalf("%s: got %d after %d pages, want that nothing was found so far", path, w.Code,
					pages)
			}
			path = strings.ReplaceAll(next[1], "&amp;", "&")
		}
		if len(slow.asked) != tenants || pages != (tenants-1)/30 {
			t.Errorf("got %d tenants searched on %d pages, want all of %d, 30 a page",
				len(slow.asked), pages+1, tenants)
		}
		for tenant, n := range slow.asked {
			if n > 2 {
				t.Errorf("%s was searched %d times", tenant, n)
			}
		}
	})
}

// Many tenants may have an event of the same ID. A page shows some of them, and where to go on.
func TestEventOfManyTenants(t *testing.T) {
	h := newHost(t, nil, nil)
	const tenants = 23
	for i := range tenants {
		tenant := fmt.Sprintf("tenant-%d", i)
		h.subscribe(tenant, "crm")
		h.publish(tenant, "order-1", `{}`)
	}
	found := 0
	for path := "event?id=order-1"; path != ""; {
		body := h.must(path, "X-Operator", "1")
		n := strings.Count(body, "<dt>Tenant</dt>")
		if n > 10 {
			t.Errorf("%s: got %d events on a page, want 10 at most", path, n)
		}
		found += n
		path = ""
		if next := goOn.FindStringSubmatch(body); next != nil {
			path = strings.ReplaceAll(next[1], "&amp;", "&")
		}
	}
	if found != tenants {
		t.Errorf("got %d events, want one of each of %d tenants", found, tenants)
	}
}
