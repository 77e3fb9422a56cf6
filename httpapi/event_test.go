package httpapi_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// eventReport is the response of /webhooks.event, with nothing else in it.
type eventReport struct {
	Event struct {
		ID        string `json:"id"`
		Tenant    string `json:"tenant"`
		Type      string `json:"type"`
		Time      string `json:"time"`
		Published string `json:"published_at"`
		Key       string `json:"key"`
		Payload   any    `json:"payload"`
		Erased    bool   `json:"erased"`
	} `json:"event"`
	Webhooks []struct {
		ID       string    `json:"webhook_id"`
		Name     string    `json:"name"`
		Delivery *delivery `json:"delivery"`
		Missed   string    `json:"missed"`
	} `json:"webhooks"`
	Next string `json:"next_cursor"`
}

// An event is shown with its payload as it was sent, and with every webhook of its tenant.
func TestEvent(t *testing.T) {
	h := newHost(t, config{})
	for _, w := range []struct{ name, rest string }{
		{"gets it", ``}, {"other type", `,"events":["b.*"]`}, {"has it dead", ``}, {"off", ``},
	} {
		h.must("subscribe", `{"name":"`+w.name+`","url":"https://a.example/"`+w.rest+`}`, "X-Tenant",
			"acme")
	}
	h.must("subscribe", `{"name":"another's","url":"https://a.example/"}`, "X-Tenant", "globex")
	all := decode[list](t, h.post("list", "", "X-Tenant", "acme"))
	h.must("unsubscribe", `{"id":"`+*all.Data[3].ID+`"}`, "X-Tenant", "acme")
	const payload = `{"z":12345678901234567890.10,"a":"<&>"}`
	e := events.Event{ID: event1, Type: "a.b", Tenant: "acme", Key: "k1", Payload: []byte(payload)}
	e.Time = h.stored(*all.Data[0].ID).SubscribedAt
	if err := h.d.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	h.must("subscribe", `{"name":"later","url":"https://a.example/"}`, "X-Tenant", "acme")
	a := h.post("event", valid("event"), "X-Tenant", "acme")
	if a.status != 200 || !strings.Contains(a.body, `"payload":`+payload) ||
		strings.Contains(a.body, "another's") || strings.Contains(a.body, "acme") {
		t.Fatalf("got %d %s, want the payload as it is and the tenant's webhooks", a.status, a.body)
	}
	got := decode[eventReport](t, a)
	if got.Event.ID != event1 || got.Event.Type != "a.b" || got.Event.Key != "k1" ||
		got.Event.Erased ||
		!strings.HasSuffix(got.Event.Published, "Z") || got.Next != "" {
		t.Errorf("got the event %+v", got.Event)
	}
	var said []string
	for _, w := range got.Webhooks {
		word := w.Missed
		if w.Delivery != nil {
			word += "/" + w.Delivery.State
		}
		said = append(said, w.Name+": "+word)
	}
	want := []string{"gets it: /pending", "other type: type", "has it dead: /pending",
		"off: unsubscribed",
		"later: subscribed_later"}
	if !reflect.DeepEqual(said, want) {
		t.Errorf("got %q\nwant %q", said, want)
	}

	if _, _, err := h.store.Erase(t.Context(),
		store.EraseQuery{Tenant: "acme", EventID: event1}); err != nil {
		t.Fatal(err)
	}
	a = h.post("event", valid("event"), "X-Tenant", "acme")
	if got := decode[eventReport](t, a); !got.Event.Erased || strings.Contains(a.body, "payload") {
		t.Errorf("after it was erased: got %s, want no payload", a.body)
	}
}

// An event of another tenant is one that does not exist.
func TestEventOfAnother(t *testing.T) {
	h := newHost(t, config{})
	h.prepare("X-Tenant", "acme")
	theirs := h.post("event", valid("event"), "X-Tenant", "globex")
	nobodys := h.post("event", `{"event_id":"nobodys"}`, "X-Tenant", "globex")
	for _, header := range []http.Header{theirs.header, nobodys.header} {
		header.Del("Date")
	}
	if theirs.status != 404 || theirs.body != nobodys.body ||
		!reflect.DeepEqual(theirs.header, nobodys.header) {
		t.Errorf("got %d %s, and for an unknown id %d %s", theirs.status, theirs.body, nobodys.status,
			nobodys.body)
	}
	if a := h.post("event", `{"event_id":"`+event1+`","cursor":"?"}`, "X-Tenant",
		"acme"); a.status != 400 ||
		!strings.HasPrefix(message(t, a), "cursor ") {
		t.Errorf("a bad cursor: got %d %s, want 400 that names it", a.status, a.body)
	}
}
