package openapitest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
)

// TestDeliveries holds what a receiver gets to the webhooks of the description.
func TestDeliveries(t *testing.T) {
	d, receiver := dispatchertest.New(t, &dispatcher.Options{OperationalEvents: true})
	sub := receiver.Subscribe()
	receiver.Subscribe(events.TypeDisabled, events.TypeExhausted)
	c := &checker{t: t, description: newDescription(t), receiver: receiver,
		seen: make(map[string]bool)}

	n := 0
	for _, declared := range events.Airy() {
		publish(t, d, declared.Name, declared.Example)
		n++
	}
	for _, p := range []events.Payload{ // the least that there is to say
		events.MessageCreated{Message: events.Message{DeliveryState: events.DeliveryStatePending,
			SentAt: time.Now()}},
		events.MessageUpdated{Message: events.Message{DeliveryState: events.DeliveryStateFailed,
			Metadata: []byte(`{"a":1}`)}},
		events.ConversationUpdated{CreatedAt: time.Now(),
			LastMessage: events.Message{DeliveryState: events.DeliveryStateDelivered}},
		events.ChannelUpdated{Connected: true},
	} {
		publish(t, d, p.EventType(), p)
		n++
	}
	for _, payload := range []string{`{"n":1}`, `["a"]`, `"text"`, `1.5`, `true`, `null`} {
		publish(t, d, "order.paid", json.RawMessage(payload))
		n++
	}
	c.next(n)
	if _, err := d.Ping(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	c.next(1)
	receiver.Answer(http.StatusGone)
	publish(t, d, "order.paid", "the last")
	c.next(3) // it, and what it leads to

	_, c.receiver = dispatchertest.New(t, &dispatcher.Options{
		Verify: dispatcher.Verification{Method: dispatcher.VerifyChallenge},
	})
	c.receiver.Subscribe()
	c.next(1) // Run asks by itself

	for name := range c.description.doc.Webhooks {
		if !c.seen[name] {
			t.Errorf("%s is described and was not sent", name)
		}
	}
}

func publish(t *testing.T, d *dispatcher.Dispatcher, eventType string, payload any) {
	t.Helper()
	e, err := events.New(eventType, payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// checker checks what a receiver gets.
type checker struct {
	t           *testing.T
	description *description
	receiver    *dispatchertest.Receiver
	seen        map[string]bool // names of webhooks in the description
}

// next checks the next n deliveries, and that they would not pass for what they are not.
func (c *checker) next(n int) {
	c.t.Helper()
	for range n {
		got := c.receiver.Next()
		name := got.Type
		if c.description.doc.Webhooks[name] == nil {
			name = "event" // any other type
		}
		c.seen[name] = true
		if err := c.check(name, &got); err != nil {
			c.t.Errorf("%s %s is not as described: %v", name, got.Body, err)
		}
		other := "webhook.ping"
		if name == other {
			other = events.TypeMessageCreated
		}
		if c.check(other, &got) == nil {
			c.t.Errorf("%s %s passes for a %s", name, got.Body, other)
		}
		for _, header := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Attempt"} {
			lacking := got
			lacking.Header = got.Header.Clone()
			lacking.Header.Del(header)
			if c.check(name, &lacking) == nil {
				c.t.Errorf("%s passes without %s", name, header)
			}
		}
	}
}

// check says what of a delivery is not as the webhook of that name is described; nil when all is.
func (c *checker) check(name string, got *dispatchertest.Delivery) error {
	r := httptest.NewRequest(http.MethodPost, got.URL, bytes.NewReader(got.Body))
	r.Header = got.Header
	return c.description.checkRequest(r, c.description.doc.Webhooks[name])
}
