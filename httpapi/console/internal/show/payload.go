package show

import (
	"encoding/json"
	"strings"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// MaxBody is how many bytes of a payload, schema or example a page shows.
const MaxBody = 64 << 10

// Payload is what a page shows of an event's payload.
type Payload struct {
	Text   string
	Raw    string // the bytes as they were published, on as many lines; empty if Text has them
	Cut    bool   // there is more; it can be downloaded
	Hidden bool   // the sender of the request may not see it
	Erased bool
}

// Events shows events to the sender of a request.
type Events struct {
	Payloads bool // the sender may see them
	Redact   func(store.Subscription, events.Event) []byte
	TraceURL func(trace string) string
}

// Payload returns what is shown of an event's payload. On the page of an event, which is for all
// webhooks, sub has a Tenant alone.
func (e *Events) Payload(sub store.Subscription, ev *store.StoredEvent) Payload {
	switch {
	case ev.Erased():
		return Payload{Erased: true}
	case !e.Payloads:
		return Payload{Hidden: true}
	}
	var p Payload
	raw := e.Redacted(sub, ev)
	p.Text, p.Cut = text.Body(raw, MaxBody)
	begin, _ := text.Cut(string(raw), MaxBody)
	if p.Raw = text.Block(begin); p.Raw == p.Text {
		p.Raw = ""
	}
	return p
}

// Redacted returns an event's payload as Redact leaves it.
func (e *Events) Redacted(sub store.Subscription, ev *store.StoredEvent) []byte {
	raw := payloadOf(ev)
	if e.Redact == nil {
		return raw
	}
	return e.Redact(sub, events.Event{ID: ev.ID, Type: ev.Type, Tenant: ev.Tenant, Key: ev.Key,
		Time: ev.Time, Payload: raw, Trace: ev.Trace, Tags: ev.Tags, NotBefore: ev.NotBefore,
		ExpiresAt: ev.ExpiresAt})
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

// Trace returns where the trace of an event is shown; empty if nowhere.
func (e *Events) Trace(ev *store.StoredEvent) string {
	if e.TraceURL == nil || ev.Trace == "" {
		return ""
	}
	return e.TraceURL(ev.Trace)
}

// maxCurl is how long a body may be for a command line.
const maxCurl = 8 << 10

// Curl returns a command that sends the delivery's body as it was published, without what is
// secret: signatures, the webhook's own headers, the query of its URL. It is empty if the body is
// hidden, redacted or long, or has something that can't be seen, which nobody should paste.
func (e *Events) Curl(sub *store.Subscription, ev *store.StoredEvent) string {
	body := string(ev.Body)
	address, _, _ := strings.Cut(sub.URL, "?")
	if !e.Payloads || e.Redact != nil || body == "" || len(body) > maxCurl ||
		text.Line(body) != body || text.Line(address) != address {
		return ""
	}
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	return "curl " + quote(address) + " -H 'Content-Type: application/json' -H " +
		quote("webhook-id: "+ev.ID) + " --data-raw " + quote(body)
}
