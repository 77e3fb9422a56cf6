package httpapi_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// endpoints are all that take a POST. Those that take something away come last.
var endpoints = []string{
	"subscribe", "update", "info", "list", "rotate", "ping", "stats", "figures", "events",
	"test_filter", "verify", "poll",
	"deliveries", "event", "attempts", "redeliver", "replay", "pause", "resume",
	"unsubscribe", "delete",
}

// everything is a host that has all endpoints: its webhooks may be read by poll, and those with a
// URL prove that they are wanted.
func everything() config {
	return config{types: &dispatcher.Options{
		AllowPull: true,
		Verify:    dispatcher.Verification{Method: dispatcher.VerifyChallenge},
		Transport: endpoint(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			challenge, _ := signing.Challenge(body)
			return says(http.StatusOK, challenge)(r)
		}),
	}}
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
	case "poll":
		return `{"id":"` + idPoll + `"}`
	case "event":
		return `{"event_id":"` + event1 + `"}`
	case "attempts", "redeliver":
		return `{"webhook_id":"` + id1 + `","event_id":"` + event1 + `"}`
	default:
		return `{"id":"` + id1 + `"}`
	}
}

// idPoll is the webhook without a URL that prepare makes where the host allows one. It gets no
// event.
const idPoll = "5b1f6c1e-96a4-4e7c-9d0b-0c5f5d1f7a10"

// verify has the endpoint of a webhook agree, which it may be asked once a second.
func (h *host) verify(id string, headers ...string) {
	h.t.Helper()
	a := h.post("verify", `{"id":"`+id+`"}`, headers...)
	for a.status == http.StatusTooManyRequests {
		<-time.After(time.Second)
		a = h.post("verify", `{"id":"`+id+`"}`, headers...)
	}
	if a.status != http.StatusOK || strings.Contains(a.body, `"error`) {
		h.t.Fatalf("verify: got %d %s, want an endpoint that agrees", a.status, a.body)
	}
}

// event1 is the event that prepare publishes.
const event1 = "018f3c1e-7a55-7000-8000-000000000001"

// prepare makes the webhook and the delivery that valid speaks of, so that every endpoint has
// something to do.
func (h *host) prepare(headers ...string) {
	h.t.Helper()
	if w := h.must("subscribe", example, headers...); w.Status == "Unverified" {
		h.verify(id1, headers...)
	}
	if h.pulls {
		h.must("subscribe", `{"id":"`+idPoll+`","poll":true,"events":["none"]}`, headers...)
	}
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
