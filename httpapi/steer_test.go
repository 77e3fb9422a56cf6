package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// TestDescribedSteering has an endpoint answer with each value of the header that the description
// allows, and holds that the host obeys as the description says.
func TestDescribedSteering(t *testing.T) {
	var described struct {
		Components struct {
			Responses map[string]struct {
				Headers map[string]struct{ Schema struct{ Enum []string } }
			}
		}
	}
	a := newHost(t, config{}).do(http.MethodGet, "/webhooks.openapi", nil, "Content-Type", "-")
	if err := json.Unmarshal([]byte(a.body), &described); err != nil {
		t.Fatal(err)
	}
	n := 0
	for response, status := range map[string]int{"taken": 200, "again": 500} {
		for _, value := range described.Components.Responses[response].
			Headers["webhook-delivery"].Schema.Enum {
			n++
			synctest.Test(t, func(t *testing.T) { steered(t, status, value) })
		}
	}
	if n != 3 {
		t.Errorf("%d values are described, want 3", n)
	}
}

// steered delivers an event to an endpoint that answers with a status and a value of the header.
func steered(t *testing.T, status int, value string) {
	h := newDirect(t, config{types: &dispatcher.Options{
		ReceiverSteers: true,
		Transport: endpoint(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: http.NoBody, Request: r,
				Header: http.Header{"Webhook-Delivery": {value}}}, nil
		}),
	}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.d.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	h.must("subscribe", example)
	e, err := events.New("message.created", 1)
	if err == nil {
		err = h.d.Publish(t.Context(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second)
	synctest.Wait()
	state, webhook := "dead", "Subscribed"
	if status == 200 {
		state = "delivered"
	}
	if value == "disable" {
		webhook = "Unsubscribed"
	}
	a := h.post("deliveries", `{"webhook_id":"`+id1+`"}`)
	got := h.must("info", `{"id":"`+id1+`"}`)
	if !strings.Contains(a.body, `"state":"`+state+`"`) || got.Status != webhook {
		t.Errorf("%d with %s: got %s and %s, want %s and %s", status, value, a.body, got.Status, state,
			webhook)
	}
}
