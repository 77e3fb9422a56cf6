package dispatcher_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// modeOf is an Options.CloudEvents that goes by the name of a subscription.
func modeOf(sub store.Subscription) cloudevents.Format {
	mode := map[string]cloudevents.Mode{
		"structured": cloudevents.Structured, "binary": cloudevents.Binary,
	}[sub.Name]
	return cloudevents.Format{Mode: mode, Source: "https://shop.example/",
		Extensions: map[string]string{"tenant": sub.Tenant}}
}

// isStructured reports whether a body is that of a CloudEvent in structured mode.
func isStructured(body string) bool { return strings.HasPrefix(body, `{"specversion":"1.0","id":`) }

// Each subscription gets its own form of one event, signed over what goes out, and what would make
// it another event cannot be set by the subscription.
func TestCloudEvents(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{CloudEvents: modeOf, EventTypes: []events.Type{{
			Name: "order.paid", Schema: json.RawMessage(`{"$id":"https://shop.example/paid.json"}`),
		}}})
		key := signing.NewSecret()
		for _, name := range []string{"off", "structured", "binary"} {
			_, err := e.Subscribe(t.Context(), store.Subscription{Name: name, Tenant: "acme",
				URL: "https://" + name + ".example/", Secrets: []signing.Secret{key},
				Headers: map[string]string{"ce-id": "forged", "ce-more": "more", "X-Mine": "mine"}})
			if err != nil {
				t.Fatal(err)
			}
		}
		ev := events.Event{ID: "evt_1", Type: "order.paid", Tenant: "acme", Key: "order 1",
			Time: time.UnixMilli(1700000000123), Payload: json.RawMessage(`{"total":1.50}`)}
		if err := e.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		e.run()
		pass(time.Second)

		plain, err := ev.Body()
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]struct{ contentType, body, id, subject string }{
			"off": {"application/json", string(plain), "forged", ""},
			"structured": {"application/cloudevents+json; charset=utf-8",
				`{"specversion":"1.0","id":"evt_1","source":"https://shop.example/","type":"order.paid",` +
					`"time":"2023-11-14T22:13:20.123Z","subject":"order 1",` +
					`"dataschema":"https://shop.example/paid.json","tenant":"acme",` +
					`"datacontenttype":"application/json","data":{"total":1.50}}`, "forged", ""},
			"binary": {"application/json", `{"total":1.50}`, "evt_1", "order%201"},
		} {
			rs := e.seen("https://" + name + ".example/")
			if len(rs) != 1 {
				t.Fatalf("%s: %d requests, want one", name, len(rs))
			}
			r := rs[0]
			if r.Body != want.body || r.Header.Get("Content-Type") != want.contentType ||
				r.Header.Get("ce-id") != want.id || r.Header.Get("ce-subject") != want.subject ||
				r.Header.Get("X-Mine") != "mine" || r.Header.Get(signing.HeaderID) != "evt_1" {
				t.Errorf("%s: got %v\n%s\nwant %s", name, r.Header, r.Body, want.body)
			}
			if more := r.Header.Get("ce-more"); (more == "") != (name == "binary") {
				t.Errorf("%s: ce-more is %q; want it unless it would be an attribute", name, more)
			}
			v := signing.Verifier{Keys: []signing.Secret{key}}
			if err := v.Verify(r.Header, []byte(r.Body)); err != nil {
				t.Errorf("%s: the signature is not over what was sent: %v", name, err)
			}
		}
	})
}

// A retry sends what was sent first, with the headers that belong to it, whatever the host says
// then.
func TestCloudEventsStayAsTheyWereSent(t *testing.T) {
	for _, tt := range []struct {
		first, later string
		contentType  string // of the retries
		id           string // ce-id of the retries
	}{
		{"structured", "structured", cloudevents.ContentType, ""},
		{"structured", "binary", cloudevents.ContentType, ""},
		{"structured", "off", cloudevents.ContentType, ""},
		{"binary", "binary", "application/json", "evt_1"},
		{"binary", "structured", "application/json", "evt_1"},
		{"binary", "off", "application/json", "evt_1"},
		{"off", "structured", "application/json", ""},
		{"off", "binary", "application/json", ""},
	} {
		t.Run(tt.first+" then "+tt.later, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				var mode atomic.Pointer[string]
				mode.Store(&tt.first)
				e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter,
					CloudEvents: func(sub store.Subscription) cloudevents.Format {
						sub.Name = *mode.Load()
						return modeOf(sub)
					}})
				e.subscribe("https://a.example/hook")
				e.status(http.StatusInternalServerError)
				err := e.Publish(t.Context(), events.Event{ID: "evt_1", Type: "order.paid",
					Time: time.Now(), Payload: json.RawMessage(`{"a":1}`)})
				if err != nil {
					t.Fatal(err)
				}
				e.run()
				pass(time.Second)
				mode.Store(&tt.later)
				pass(time.Minute)
				rs := e.seen("")
				if len(rs) < 3 {
					t.Fatalf("%d requests, want retries", len(rs))
				}
				for i, r := range rs[1:] {
					if r.Body != rs[0].Body || r.Header.Get("Content-Type") != tt.contentType ||
						r.Header.Get("ce-id") != tt.id {
						t.Errorf("retry %d: got %s with %v\nwant %s", i+1, r.Body, r.Header, rs[0].Body)
					}
				}
			})
		})
	}
}

// A Format that is wrong, or a panic, is the host's fault: nothing is sent, and it is tried again.
func TestCloudEventsThatFail(t *testing.T) {
	for name, fails := range map[string]func(store.Subscription) cloudevents.Format{
		"panic": func(store.Subscription) cloudevents.Format { panic("a bug") },
		"no source": func(store.Subscription) cloudevents.Format {
			return cloudevents.Format{Mode: cloudevents.Binary}
		},
		"a header in an extension": func(store.Subscription) cloudevents.Format {
			return cloudevents.Format{Mode: cloudevents.Binary, Source: "/",
				Extensions: map[string]string{"a": "x\r\nX-Forged: 1"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				calls := 0
				e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter,
					CloudEvents: func(sub store.Subscription) cloudevents.Format {
						if calls++; calls == 1 {
							return fails(sub)
						}
						return cloudevents.Format{Mode: cloudevents.Structured, Source: "/"}
					}})
				e.subscribe("https://a.example/hook")
				e.run()
				ev := e.publish("order.created", 1)
				pass(time.Second)
				if d := e.wantState(ev, store.Pending); len(e.seen("")) != 0 ||
					dispatcher.ErrorClass(d.LastError) != dispatcher.ClassSender {
					t.Errorf("%d requests, %q; want a failure of the sender", len(e.seen("")), d.LastError)
				}
				pass(time.Minute)
				e.wantState(ev, store.Delivered)
				if rs := e.seen(""); len(rs) != 1 || !isStructured(rs[0].Body) {
					t.Errorf("requests are %+v, want one CloudEvent", rs)
				}
			})
		})
	}
}

// Transform gets what CloudEvents has made, and the event as it was published; a ping is a
// CloudEvent too.
func TestCloudEventsBeforeTransform(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{
			CloudEvents: func(store.Subscription) cloudevents.Format {
				return cloudevents.Format{Mode: cloudevents.Structured, Source: "/"}
			},
			Transform: func(_ context.Context, _ store.Subscription, ev events.Event,
				r *dispatcher.Request) error {
				if !isStructured(string(r.Body)) || strings.Contains(string(ev.Payload), "specversion") {
					t.Errorf("Transform got %s of the event %s", r.Body, ev.Payload)
				}
				r.Body = append(r.Body[:len(r.Body)-1], `,"more":1}`...)
				return nil
			},
		})
		sub := e.subscribe("https://a.example/hook")
		e.run()
		e.publish("order.created", 1)
		pass(time.Second)
		if _, err := e.Ping(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		rs := e.seen("")
		if len(rs) != 2 {
			t.Fatalf("%d requests, want a delivery and a ping", len(rs))
		}
		for _, r := range rs {
			if !strings.HasSuffix(r.Body, `,"more":1}`) || !isStructured(r.Body) ||
				r.Header.Get("Content-Type") != cloudevents.ContentType {
				t.Errorf("sent %s as %s", r.Body, r.Header.Get("Content-Type"))
			}
		}
	})
}
