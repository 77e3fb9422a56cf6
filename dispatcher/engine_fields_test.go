package dispatcher_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// order is a payload, with digits that no float has.
const order = `{"order":{"id":9007199254740993,"total":120.50,"items":[{"sku":"A","price":1.0}]},"vip":true}`

// publishOrder publishes an event with the payload order.
func (e *engine) publishOrder() events.Event {
	e.t.Helper()
	ev, err := events.New("order.created", []byte(nil))
	if err != nil {
		e.t.Fatal(err)
	}
	ev.Payload = []byte(order)
	if err := e.Publish(e.t.Context(), ev); err != nil {
		e.t.Fatal(err)
	}
	return ev
}

// subscribeFields subscribes an endpoint that is sent some fields.
func (e *engine) subscribeFields(sub store.Subscription, fields ...string) store.Subscription {
	e.t.Helper()
	sub.URL, sub.Fields = "https://a.example/hook", fields
	sub, err := e.Subscribe(e.t.Context(), sub)
	if err != nil {
		e.t.Fatal(err)
	}
	return sub
}

// setFields changes the fields of a subscription.
func (e *engine) setFields(id string, fields ...string) {
	e.t.Helper()
	_, err := e.Update(e.t.Context(), id, func(s *store.Subscription) error {
		s.Fields = fields
		return nil
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

// body returns the body of an event with another payload.
func body(ev events.Event, payload string) string {
	return fmt.Sprintf(`{"type":%q,"timestamp":%d,"payload":%s}`, ev.Type, ev.Time.UnixMilli(), payload)
}

func TestFieldsAreSentAndSigned(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		key := signing.NewSecret()
		sub := e.subscribeFields(store.Subscription{Secrets: []signing.Secret{key}},
			"vip", "order.id", "order.items.sku", "none")
		e.run()
		ev := e.publishOrder()
		pass(time.Second)
		want := body(ev, `{"order":{"id":9007199254740993,"items":[{"sku":"A"}]},"vip":true}`)
		rs := e.seen("")
		if len(rs) != 1 || rs[0].Body != want {
			t.Fatalf("requests are %+v, want one of %s", rs, want)
		}
		v := signing.Verifier{Keys: []signing.Secret{key}}
		if err := v.Verify(rs[0].Header, []byte(rs[0].Body)); err != nil {
			t.Errorf("the signature is not over what is sent: %v", err)
		}
		stored, err := e.Event(t.Context(), dispatcher.EventQuery{EventID: ev.ID})
		if err != nil || string(stored.Event.Body) != body(ev, order) {
			t.Errorf("the stored event is %s, %v, want the whole", stored.Event.Body, err)
		}
		// What was delivered and is sent again is the same, whatever the subscription asks for now.
		e.setFields(sub.ID, "vip")
		if err := e.Redeliver(t.Context(), sub.ID, ev.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if rs := e.seen(""); len(rs) != 2 || rs[1].Body != want {
			t.Errorf("requests are %+v, want a second of %s", rs, want)
		}
	})
}

// TestFieldsOfADeliveryStay changes the fields of a subscription between attempts.
func TestFieldsOfADeliveryStay(t *testing.T) {
	for name, tc := range map[string]struct {
		first, then []string
		want        string
	}{
		"changed": {[]string{"vip", "order.id"}, []string{"order.total"},
			`{"order":{"id":9007199254740993},"vip":true}`},
		"cleared": {[]string{"vip"}, nil, `{"vip":true}`},
		"set":     {nil, []string{"vip"}, order},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				o := &dispatcher.Options{Backoff: noJitter}
				e := newEngine(t, s, o)
				sub := e.subscribeFields(store.Subscription{}, tc.first...)
				e.status(http.StatusInternalServerError)
				ev := e.publishOrder()
				e.run()
				pass(time.Second)
				e.setFields(sub.ID, tc.then...)
				pass(time.Minute)
				e.stop()
				e.restart(o)
				e.run()
				e.status(200)
				pass(time.Hour)
				rs := e.seen("")
				if len(rs) < 3 {
					t.Fatalf("%d requests, want 3 or more", len(rs))
				}
				for i, r := range rs {
					if want := body(ev, tc.want); r.Body != want {
						t.Errorf("attempt %d sent %s, want %s", i+1, r.Body, want)
					}
				}
				e.wantState(ev, store.Delivered)
			})
		})
	}
}

// TestFieldsWithTransform changes what the fields have left, and what is kept of that.
func TestFieldsWithTransform(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"unchanged": func(b []byte) []byte { return b },
		"changed":   func(b []byte) []byte { return append(b, "\n"...) },
		"replaced":  func([]byte) []byte { return []byte("other") },
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				var ev events.Event
				calls := 0
				e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter, Transform: func(
					_ context.Context, _ store.Subscription, got events.Event, r *dispatcher.Request,
				) error {
					if calls++; calls == 1 {
						return errors.New("not yet") // nothing is sent, and nothing decided
					}
					if string(got.Payload) != order {
						t.Errorf("the payload of the event is %s, want the whole", got.Payload)
					}
					r.Body = change(r.Body)
					return nil
				}})
				sub := e.subscribeFields(store.Subscription{}, "vip")
				e.status(http.StatusInternalServerError)
				ev = e.publishOrder()
				e.run()
				pass(10 * time.Minute)
				e.setFields(sub.ID, "order.id")
				e.status(200)
				pass(time.Hour)
				rs := e.seen("")
				if len(rs) < 2 {
					t.Fatalf("%d requests, want 2 or more", len(rs))
				}
				for i, r := range rs {
					if want := string(change([]byte(body(ev, `{"vip":true}`)))); r.Body != want {
						t.Errorf("request %d sent %q, want %q", i+1, r.Body, want)
					}
				}
			})
		})
	}
}

// TestFieldsKeepNoBody looks at what the store keeps of a delivery that fails: the names of the
// fields, and not what they have left.
func TestFieldsKeepNoBody(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.subscribeFields(store.Subscription{}, "vip", "order.items")
		e.status(http.StatusInternalServerError)
		e.publishOrder()
		e.run()
		pass(time.Second)
		e.stop()
		pass(time.Hour) // it is due again
		got, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute})
		if err != nil || len(got.Claims) != 1 {
			t.Fatalf("got %+v, %v, want one claim", got, err)
		}
		c := got.Claims[0]
		if c.BodyState != store.BodyOverridden || bytes.Contains(c.BodyOverride, []byte("sku")) ||
			!bytes.Contains(c.BodyOverride, []byte(`["vip","order.items"]`)) {
			t.Errorf("it keeps %q in state %d, want the fields alone", c.BodyOverride, c.BodyState)
		}
	})
}

func TestFieldsThatAreNotValid(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		for _, sub := range []store.Subscription{
			{URL: "https://a.example/hook", Fields: []string{"$a"}},
			{URL: "https://a.example/hook", Filter: `{"a":{"$regex":"x"}}`},
		} {
			var invalid *events.InvalidError
			if _, err := e.Subscribe(t.Context(), sub); !errors.As(err, &invalid) {
				t.Errorf("Subscribe of %+v: %v, want an InvalidError", sub, err)
			}
		}
		// What is stored and does not parse any more can be left, and unsubscribed.
		sub := store.Subscription{ID: "3e639566-29fa-450d-a59f-ae3c25d7260f", Status: store.Subscribed,
			URL: "https://a.example/hook", Filter: "no filter"}
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Unsubscribe(t.Context(), sub.ID); err != nil {
			t.Errorf("Unsubscribe of one with a filter that does not parse: %v", err)
		}
	})
}
