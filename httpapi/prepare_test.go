package httpapi_test

import (
	"errors"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// endpoints are all that take a POST. Those that take something away come last.
var endpoints = []string{
	"subscribe", "update", "info", "list", "rotate", "ping", "stats", "figures", "events",
	"test_filter",
	"deliveries", "event", "attempts", "redeliver", "replay", "pause", "resume",
	"unsubscribe", "delete",
}

// valid returns a body that the endpoint takes, once the host is prepared.
func valid(endpoint string) string {
	switch endpoint {
	case "subscribe":
		return example
	case "list", "events", "test_filter":
		return `{}`
	case "deliveries", "replay":
		return `{"webhook_id":"` + id1 + `"}`
	case "event":
		return `{"event_id":"` + event1 + `"}`
	case "attempts", "redeliver":
		return `{"webhook_id":"` + id1 + `","event_id":"` + event1 + `"}`
	default:
		return `{"id":"` + id1 + `"}`
	}
}

// event1 is the event that prepare publishes.
const event1 = "018f3c1e-7a55-7000-8000-000000000001"

// prepare makes the webhook and the delivery that valid speaks of, so that every endpoint has
// something to do.
func (h *host) prepare(headers ...string) {
	h.t.Helper()
	h.must("subscribe", example, headers...)
	e, err := events.New("message.created", "hello")
	if err != nil {
		h.t.Fatal(err)
	}
	if len(headers) == 2 {
		e.Tenant = headers[1]
	}
	e.ID = event1
	// a conflict: it is there
	if err := h.d.Publish(h.t.Context(), e); err != nil && !errors.Is(err, store.ErrConflict) {
		h.t.Fatal(err)
	}
}
