package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/store"
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
	h.subscribe("globex", "theirs")
	h.publish("acme", "order-1", `{"b":1.10,"a":12345678901234567890,"t":"x\u202ey"}`)
	for _, who := range [][]string{{"X-Tenant", "acme"}, {"X-Operator", "1"}} {
		body := h.must("event?id=order-1", who...)
		for _, want := range []string{
			"delivery?event=order-1&amp;id=" + got.ID, "it does not get this type", "it is off",
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
