package dispatcher_test

import (
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

type transform = func(context.Context, store.Subscription, events.Event, *dispatcher.Request) error

func TestTransformChangesHeadersAndBody(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		key := signing.NewSecret()
		e := newEngine(t, s, &dispatcher.Options{Transform: func(ctx context.Context,
			sub store.Subscription, ev events.Event, r *dispatcher.Request) error {
			if body, err := ev.Body(); err != nil || string(body) != string(r.Body) {
				t.Errorf("the event's body is %s, %v, want the request's, %s", body, err, r.Body)
			}
			if r.Header.Get("X-Mine") != "mine" || sub.URL == "" {
				t.Errorf("the headers are %v, want the subscription's", r.Header)
			}
			if _, ok := ctx.Deadline(); !ok {
				t.Error("the context has no deadline")
			}
			r.Header.Set("X-Text", sub.Name)
			r.Header.Del("X-Mine")
			r.Body = append([]byte(`{"text":`), append(ev.Payload, '}')...)
			sub.Headers["X-Mine"] = "overwritten"
			return nil
		}})
		for _, name := range []string{"a", "b"} {
			_, err := e.Subscribe(t.Context(), store.Subscription{
				URL: "https://" + name + ".example/hook", Name: name,
				Headers: map[string]string{"x-mine": "mine"}, Secrets: []signing.Secret{key},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		e.run()
		e.publish("order.created", "tea")
		pass(time.Second)
		for _, name := range []string{"a", "b"} {
			r := e.seen("https://" + name + ".example/hook")
			if len(r) != 1 || r[0].Body != `{"text":"tea"}` || r[0].Header.Get("X-Text") != name ||
				r[0].Header.Values("X-Mine") != nil {
				t.Fatalf("requests are %+v, want one with what Transform made", r)
			}
			if err := (signing.Verifier{Keys: []signing.Secret{key}}).Verify(r[0].Header,
				[]byte(r[0].Body)); err != nil {
				t.Errorf("%s: the signature is not over the body that was sent: %v", name, err)
			}
		}
	})
}

// TestTransformedBodyIsFixedAtTheFirstAttempt changes the transformation between attempts, and
// takes it away.
func TestTransformedBodyIsFixedAtTheFirstAttempt(t *testing.T) {
	for name, first := range map[string]func([]byte) []byte{
		"changed":   func([]byte) []byte { return []byte("the first") },
		"unchanged": func(b []byte) []byte { return b },
		"emptied":   func([]byte) []byte { return nil },
		"extended":  func(b []byte) []byte { return append(b, b...) },
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				calls := 0
				var ev events.Event
				o := dispatcher.Options{Backoff: noJitter,
					Transform: func(_ context.Context, _ store.Subscription, got events.Event,
						r *dispatcher.Request) error {
						calls++
						if string(got.Payload) != string(ev.Payload) {
							t.Errorf("call %d: the payload is %s, want the event's, %s", calls, got.Payload, ev.Payload)
						}
						r.Header.Set("X-Call", fmt.Sprint(calls))
						if calls == 1 {
							r.Body = first(r.Body)
						} else {
							r.Body = []byte("another")
						}
						return nil
					}}
				e := newEngine(t, s, &o)
				sub := e.subscribe("https://a.example/hook")
				e.status(http.StatusInternalServerError)
				ev = e.publish("order.created", 1)
				e.run()
				pass(time.Minute) // three attempts
				e.stop()
				o.Transform = nil
				e.restart(&o)
				e.run()
				e.status(200)
				pass(time.Hour)
				body, _ := ev.Body()
				want := string(first(body))
				rs := e.seen("")
				if len(rs) != 4 {
					t.Fatalf("%d requests, want 4", len(rs))
				}
				for i, r := range rs {
					if r.Body != want {
						t.Errorf("attempt %d sent %q, want %q", i+1, r.Body, want)
					}
					if call := r.Header.Get("X-Call"); i < 3 && call != fmt.Sprint(i+1) {
						t.Errorf("attempt %d has the headers of call %s, want its own", i+1, call)
					}
				}
				if err := e.Redeliver(t.Context(), sub.ID, ev.ID); err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				if rs := e.seen(""); len(rs) != 5 || rs[4].Body != want {
					t.Errorf("the redelivery did not send what is kept")
				}
			})
		})
	}
}

func TestTransformThatFailsIsAskedAgain(t *testing.T) {
	for name, fails := range map[string]transform{
		"error": func(context.Context, store.Subscription, events.Event, *dispatcher.Request) error {
			return errors.New("no template")
		},
		"panic": func(context.Context, store.Subscription, events.Event, *dispatcher.Request) error {
			panic("a bug")
		},
		"reserved header": func(_ context.Context, _ store.Subscription, _ events.Event,
			r *dispatcher.Request) error {
			r.Header.Set("webhook-signature", "forged")
			return nil
		},
		"a raw reserved header": func(_ context.Context, _ store.Subscription, _ events.Event,
			r *dispatcher.Request) error {
			r.Header["content-LENGTH"] = []string{"0"}
			return nil
		},
		"header with a line break": func(_ context.Context, _ store.Subscription, _ events.Event,
			r *dispatcher.Request) error {
			r.Header.Set("X-Text", "a\r\nwebhook-id: forged")
			return nil
		},
		"no header's name": func(_ context.Context, _ store.Subscription, _ events.Event,
			r *dispatcher.Request) error {
			r.Header["X Text"] = []string{"a"}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				calls := 0
				e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter,
					Transform: func(ctx context.Context, sub store.Subscription, ev events.Event,
						r *dispatcher.Request) error {
						r.Body = []byte("transformed")
						if calls++; calls == 1 {
							return fails(ctx, sub, ev, r)
						}
						return nil
					}})
				e.subscribe("https://a.example/hook")
				e.run()
				ev := e.publish("order.created", 1)
				pass(time.Second)
				if d := e.wantState(ev, store.Pending); d.Attempts != 1 ||
					dispatcher.ErrorClass(d.LastError) == "" || len(e.seen("")) != 0 {
					t.Errorf("%d attempts, %q, %d requests; want one that failed before it was sent", d.Attempts,
						d.LastError, len(e.seen("")))
				}
				pass(time.Minute)
				e.wantState(ev, store.Delivered)
				if r := e.seen(""); len(r) != 1 || r[0].Body != "transformed" {
					t.Errorf("requests are %+v, want one with the transformed body", r)
				}
			})
		})
	}
}

func TestTransformMayTakeAllHeadersAway(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Transform: func(_ context.Context, _ store.Subscription,
			_ events.Event, r *dispatcher.Request) error {
			r.Header = nil
			return nil
		}})
		sub, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Headers: map[string]string{"X-Mine": "mine"}})
		if err != nil {
			t.Fatal(err)
		}
		if a, err := e.Ping(t.Context(), sub.ID); err != nil || a.Status != 200 {
			t.Fatalf("Ping: %+v, %v", a, err)
		}
		if h := e.seen("")[0].Header; h.Get("X-Mine") != "" || h.Get("Webhook-Id") == "" ||
			h.Get("Content-Type") != "application/json" {
			t.Errorf("headers are %v, want the sender's own alone", h)
		}
	})
}
