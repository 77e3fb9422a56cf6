package dispatcher_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// bodyOf is a transform that makes a body of the payload.
func bodyOf(body func(p json.RawMessage, challenge string) string) transform {
	return func(
		_ context.Context, _ store.Subscription, e events.Event, r *dispatcher.Request,
	) error {
		var p struct{ Challenge string }
		if err := json.Unmarshal(e.Payload, &p); err != nil {
			return err
		}
		r.Body = []byte(body(e.Payload, p.Challenge))
		return nil
	}
}

// TestEchoIsNoProof has endpoints return what they get, in several spellings, from hosts that send
// several bodies. An endpoint that knows what it is asked passes all the same.
func TestEchoIsNoProof(t *testing.T) {
	binary := func(store.Subscription) cloudevents.Format {
		return cloudevents.Format{Mode: cloudevents.Binary, Source: "https://app.example/"}
	}
	alone := func(_ json.RawMessage, c string) string { return `{"challenge":"` + c + `"}` }
	for name, o := range map[string]dispatcher.Options{
		"the event":                 {},
		"a CloudEvent":              {CloudEvents: binary},
		"the payload":               {Transform: bodyOf(func(p json.RawMessage, _ string) string { return string(p) })},
		"the challenge":             {Transform: bodyOf(func(_ json.RawMessage, c string) string { return c })},
		"an object":                 {Transform: bodyOf(alone)},
		"an object in a CloudEvent": {CloudEvents: binary, Transform: bodyOf(alone)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o.Verify = dispatcher.Verification{Method: dispatcher.VerifyChallenge}
				e := newEngine(t, memstore.New(), &o)
				sub := e.subscribe("https://a.example/hook")
				for spelling, answer := range map[string]func(body string) string{
					"as it is": func(body string) string { return body },
					"spaced":   func(body string) string { return "\n " + body + " \r\n" },
					"written anew": func(body string) string {
						var v any
						if json.Unmarshal([]byte(body), &v) != nil {
							return body
						}
						out, _ := json.MarshalIndent(v, "", "  ")
						return string(out)
					},
				} {
					e.answers(func(r request) reply { return reply{Status: 200, Body: answer(r.Body)} })
					if a, err := e.Verify(t.Context(), sub.ID); err != nil || a.Error == "" {
						t.Errorf("%s: got %+v, %v; want no proof", spelling, a, err)
					}
				}
				if got := e.statusOf(sub.ID).Status; got != store.Unverified {
					t.Errorf("after echoes it is %q", got)
				}
				e.answers(func(r request) reply {
					challenge := r.Body // sent alone
					if i := strings.Index(r.Body, `"challenge":"`); i >= 0 {
						challenge, _, _ = strings.Cut(r.Body[i+len(`"challenge":"`):], `"`)
						return reply{Status: 200, Body: challenge}
					}
					return reply{Status: 200, Body: `{"challenge":"` + challenge + `"}`}
				})
				if a, err := e.Verify(t.Context(), sub.ID); err != nil || a.Error != "" {
					t.Errorf("one that knows what it is asked: got %+v, %v; want a proof", a, err)
				}
			})
		})
	}
}

// TestProofIsAskedForWhole has the subscription want a few fields, as CloudEvents: what asks for
// proof is the event all the same, and deliveries are as they were.
func TestProofIsAskedForWhole(t *testing.T) {
	for _, mode := range []cloudevents.Mode{cloudevents.Off, cloudevents.Binary, cloudevents.Structured} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := challenged()
				o.CloudEvents = func(store.Subscription) cloudevents.Format {
					return cloudevents.Format{Mode: mode, Source: "https://app.example/"}
				}
				e := newEngine(t, memstore.New(), o)
				e.answers(agrees)
				sub, err := e.Subscribe(t.Context(), store.Subscription{
					URL: "https://a.example/hook", Fields: []string{"a"},
				})
				if err != nil {
					t.Fatal(err)
				}
				if a, err := e.Verify(t.Context(), sub.ID); err != nil || a.Error != "" {
					t.Fatalf("Verify: got %+v, %v; want a proof", a, err)
				}
				r := e.seen("")[0]
				if !strings.HasPrefix(r.Body, `{"type":"webhook.challenge",`) ||
					!strings.Contains(r.Body, sub.ID) || r.Header.Get("Ce-Id") != "" {
					t.Errorf("it is asked by %s with %v, want the whole event", r.Body, r.Header)
				}
				if got := e.statusOf(sub.ID).Fields; len(got) != 1 {
					t.Errorf("it has the fields %q, want those that it had", got)
				}
				e.run()
				e.publish("order.created", map[string]int{"a": 1, "b": 2})
				settle()
				all := e.seen("")
				last := all[len(all)-1]
				if len(all) != 2 || !strings.Contains(last.Body, `"a":1`) ||
					strings.Contains(last.Body, `"b":2`) ||
					(last.Header.Get("Ce-Id") != "") != (mode == cloudevents.Binary) {
					t.Errorf("the delivery is %s with %v", last.Body, last.Header)
				}
			})
		})
	}
}
