package show_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// An answer may repeat the payload, so it is shown to whom the payload is shown as it is.
func TestAnswersAreShownLikePayloads(t *testing.T) {
	redact := func(store.Subscription, events.Event) []byte { return nil }
	attempt := store.Attempt{Number: 1, Response: []byte("4242"), Detail: &store.AttemptDetail{
		Request: []store.HeaderField{{Name: "Webhook-Id", Value: "order-1"}},
		Answer:  []store.HeaderField{{Name: "X-Echo", Value: "4242"}},
	}}
	for _, test := range []struct {
		events       show.Events
		body, header bool
	}{
		{show.Events{}, false, false},
		{show.Events{Payloads: true}, true, true},
		{show.Events{Payloads: true, Redact: redact}, false, true},
		{show.Events{Redact: redact}, false, false},
	} {
		got := test.events.NewAttempt(attempt, true)
		if (got.Body != "") != test.body || got.BodyShown != test.body ||
			(len(got.Got) > 0) != test.header || len(got.Sent) != 1 {
			t.Errorf("payloads %t, redacted %t: got %+v", test.events.Payloads,
				test.events.Redact != nil, got)
		}
	}
}

// The times of an attempt's phases are named, those that took none are left out, and a kept
// connection is said.
func TestPhases(t *testing.T) {
	const ms = time.Millisecond
	events := show.Events{}
	for want, detail := range map[string]store.AttemptDetail{
		"name 1 ms · connect 2 ms · TLS 3 ms · first byte 4 ms": {DNS: ms, Connect: 2 * ms,
			TLS: 3 * ms, FirstByte: 4 * ms},
		"connection kept · first byte 4 ms": {Reused: true, FirstByte: 4 * ms},
		"":                                  {},
	} {
		if got := events.NewAttempt(store.Attempt{Detail: &detail}, false).Phases; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
