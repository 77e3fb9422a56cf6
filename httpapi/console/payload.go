package console

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// maxShown is how many bytes of a payload a page shows.
const maxShown = 64 << 10

// payload is what a page shows of an event's payload.
type payload struct {
	Text   string
	Cut    bool // there is more; it can be downloaded
	Hidden bool // the sender of the request may not see it
	Erased bool
}

// payload returns what is shown of an event's payload. On the page of an event, which is for all
// webhooks, sub has a Tenant alone.
func (q *request) payload(sub store.Subscription, ev *store.StoredEvent) payload {
	switch {
	case ev.Erased():
		return payload{Erased: true}
	case !q.access.May.Payloads():
		return payload{Hidden: true}
	}
	var p payload
	p.Text, p.Cut = text.Body(q.redacted(sub, ev), maxShown)
	return p
}

// redacted returns an event's payload as Options.Redact leaves it.
func (q *request) redacted(sub store.Subscription, ev *store.StoredEvent) []byte {
	raw := payloadOf(ev)
	if q.o.Redact == nil {
		return raw
	}
	return q.o.Redact(sub, events.Event{ID: ev.ID, Type: ev.Type, Tenant: ev.Tenant, Key: ev.Key,
		Time: ev.Time, Payload: raw, Trace: ev.Trace})
}

// payloadOf returns the payload in an event's wire body, byte for byte.
func payloadOf(ev *store.StoredEvent) json.RawMessage {
	var body struct {
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(ev.Body, &body); err != nil {
		return ev.Body
	}
	return body.Payload
}

// download sends an event's payload as a file: its bytes as they were published, or as
// Options.Redact leaves them.
func (q *request) download() (*view, error) {
	sub, d, err := q.oneDelivery(q.form.Get("id"), q.form.Get("event"))
	if err != nil {
		return nil, err
	}
	ev, err := q.storedEvent(&d)
	if err != nil {
		return nil, err
	}
	if ev.Erased() {
		return nil, errNotFound
	}
	body := q.redacted(sub, ev)
	return &view{download: func(w http.ResponseWriter) {
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		// An event's ID has no character that is special in a header.
		h.Set("Content-Disposition", `attachment; filename="`+d.EventID+`.json"`)
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}}, nil
}

// storedEvent returns the event of a delivery.
func (q *request) storedEvent(d *store.Delivery) (*store.StoredEvent, error) {
	report, err := q.d.Event(q.r.Context(), d.Tenant, d.EventID)
	return &report.Event, err
}

// traceURL returns where the trace of an event is shown; empty if nowhere.
func (q *request) traceURL(ev *store.StoredEvent) string {
	if q.o.TraceURL == nil || ev.Trace == "" {
		return ""
	}
	return q.o.TraceURL(ev.Trace)
}

// maxCurl is how long a body may be for a command line.
const maxCurl = 8 << 10

// curl returns a command that sends the delivery's body as it was published, without what is
// secret: signatures, the webhook's own headers, the query of its URL. It is empty if the body is
// hidden, redacted or long, or has something that can't be seen, which nobody should paste.
func (q *request) curl(sub *store.Subscription, ev *store.StoredEvent) string {
	body := string(ev.Body)
	address, _, _ := strings.Cut(sub.URL, "?")
	if !q.access.May.Payloads() || q.o.Redact != nil || body == "" || len(body) > maxCurl ||
		text.Line(body) != body || text.Line(address) != address {
		return ""
	}
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	return "curl " + quote(address) + " -H 'Content-Type: application/json' -H " +
		quote("webhook-id: "+ev.ID) + " --data-raw " + quote(body)
}
