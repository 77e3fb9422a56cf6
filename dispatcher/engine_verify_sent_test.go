package dispatcher_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
	payload := func(p json.RawMessage, _ string) string { return string(p) }
	text := func(_ json.RawMessage, c string) string { return c }
	alone := func(_ json.RawMessage, c string) string { return `{"challenge":"` + c + `"}` }
	for name, o := range map[string]dispatcher.Options{
		"the event":                 {},
		"a CloudEvent":              {CloudEvents: binary},
		"the payload":               {Transform: bodyOf(payload)},
		"the challenge":             {Transform: bodyOf(text)},
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
	for _, mode := range []cloudevents.Mode{
		cloudevents.Off, cloudevents.Binary, cloudevents.Structured,
	} {
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

// TestHandshakeKeyIsNotShown has an endpoint repeat the address by which it can agree, in several
// ways. A reader of the attempt could agree in its name by it.
func TestHandshakeKeyIsNotShown(t *testing.T) {
	for _, status := range []int{200, 500} {
		synctest.Test(t, func(t *testing.T) {
			o := shakenLater()
			o.AttemptDetail = dispatcher.DetailOfAll
			e := newEngine(t, memstore.New(), o)
			var address, key string
			e.answers(func(r request) reply {
				address = r.Header.Get("WebHook-Request-Callback")
				_, key, _ = strings.Cut(address, "key=")
				body, _ := json.Marshal(map[string]string{"address": address, "only": key})
				return reply{
					Status: status, Body: address + " " + string(body) + " " + key,
					Header: http.Header{"X-Echo": {address}, "X-Key": {"the key is " + key}},
				}
			})
			sub := e.subscribe("https://a.example/hook")
			a, err := e.Verify(t.Context(), sub.ID)
			if err != nil || a.Error == "" || a.Detail == nil || len(key) < 20 {
				t.Fatalf("Verify: got %+v, %v, and the key %q; want no proof, and a detail", a, err, key)
			}
			shown, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range append(a.Detail.Request, a.Detail.Answer...) {
				shown = append(append(shown, f.Name...), f.Value...)
			}
			shown = append(shown, a.Response...)
			if text := string(shown); strings.Contains(text, key) {
				t.Errorf("after a %d the key is in %s", status, text)
			}
			if !strings.Contains(string(a.Response), store.Masked) {
				t.Errorf("after a %d the response is %q, want the rest of it", status, a.Response)
			}
			headerOf(t, a.Detail.Answer, "X-Echo")
			headerOf(t, a.Detail.Request, "Webhook-Request-Callback")
		})
	}
}

// TestPingNeedsTheProof pings endpoints that have yet to agree, and others.
func TestPingNeedsTheProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		catalogue := []events.Type{{Name: "order.created", Example: json.RawMessage(`{"n":1}`)}}
		e := newEngine(t, memstore.New(), &dispatcher.Options{EventTypes: catalogue})
		old, unsubscribed := e.subscribe("https://old.example/"), e.subscribe("https://b.example/")
		e.must(e.Unsubscribe(t.Context(), unsubscribed.ID))
		o := challenged()
		o.EventTypes = catalogue
		e.restart(o)
		e.answers(agrees)
		sub := e.subscribe("https://a.example/hook")
		pings := func(what string, id string, want bool) {
			t.Helper()
			before := len(e.seen(""))
			for name, ping := range map[string]func() (store.Attempt, error){
				"Ping": func() (store.Attempt, error) { return e.Ping(t.Context(), id) },
				"PingExample": func() (store.Attempt, error) {
					return e.PingExample(t.Context(), id, "order.created")
				},
			} {
				a, err := ping()
				var invalid *events.InvalidError
				switch {
				case want && (err != nil || a.Error != ""):
					t.Errorf("%s of one that %s: got %+v, %v", name, what, a, err)
				case !want && (!errors.As(err, &invalid) || invalid.Field != "id" ||
					!strings.Contains(invalid.Reason, "verify it")):
					t.Errorf("%s of one that %s: got error %v, want one of the id", name, what, err)
				}
			}
			if n := len(e.seen("")) - before; (n > 0) != want {
				t.Errorf("one that %s got %d requests", what, n)
			}
		}
		pings("has not agreed", sub.ID, false)
		pings("is from before", old.ID, true)
		e.must(e.Pause(t.Context(), old.ID))
		pings("is from before, and is paused", old.ID, true)
		pings("is unsubscribed, and has not agreed", unsubscribed.ID, false)
		e.proves(sub.ID)
		pings("has agreed", sub.ID, true)
		pass(time.Minute)
		e.must(e.Pause(t.Context(), sub.ID))
		pings("has agreed, and is paused", sub.ID, true)
		e.change(sub.ID, func(s *store.Subscription) { s.URL = "https://c.example/hook" })
		pings("is paused, at another URL", sub.ID, false)
	})
}

// deaf is a store that can't be read.
type deaf struct{ store.Store }

var errDeaf = errors.New("no connection to the store")

func (deaf) Subscription(context.Context, string) (store.Subscription, error) {
	return store.Subscription{}, errDeaf
}

// TestGrantedTellsWhyItFailed has the store fail, which says nothing about the key.
func TestGrantedTellsWhyItFailed(t *testing.T) {
	for name, tt := range map[string]struct {
		s    store.Store
		id   string
		want error
	}{
		"the store fails": {deaf{memstore.New()}, "3e639566-29fa-450d-a59f-ae3c25d7260f", errDeaf},
		"an unknown ID":   {memstore.New(), "3e639566-29fa-450d-a59f-ae3c25d7260f", store.ErrNotFound},
		"no ID":           {memstore.New(), "x\x00y", store.ErrNotFound},
	} {
		d, err := dispatcher.New(tt.s, shakenLater())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Granted(t.Context(), tt.id, "key", ""); !errors.Is(err, tt.want) {
			t.Errorf("%s: got error %v, want %v", name, err, tt.want)
		}
	}
}

// TestQuotaOnlyDelaysTheProof subscribes far more endpoints than a tenant may ask in a minute. Run
// asks them all, in the end.
func TestQuotaOnlyDelaysTheProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := challenged()
		o.Quota = quotas(dispatcher.Quota{PingsPerMinute: 2})
		e := newEngine(t, memstore.New(), o)
		e.answers(agrees)
		var subs []store.Subscription
		for i := range 30 {
			subs = append(subs, e.subscribeFor("small", fmt.Sprintf("https://host%d.example/", i)))
		}
		e.run()
		pass(time.Hour)
		for _, sub := range subs {
			if got := e.statusOf(sub.ID).Status; got != store.Subscribed {
				t.Errorf("%s is %q an hour later, want Subscribed", sub.URL, got)
			}
		}
	})
}

// TestSlowTenantDelaysNoOthersProof has a tenant with more endpoints that hang than Run asks at
// once, and then one of another tenant.
func TestSlowTenantDelaysNoOthersProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := challenged()
		o.Quota = quotas(dispatcher.Quota{})
		e := newEngine(t, memstore.New(), o)
		e.answers(func(r request) reply {
			if strings.HasPrefix(r.URL, "https://slow") {
				return reply{Status: 200, Delay: 10 * time.Second}
			}
			return agrees(r)
		})
		for i := range 100 {
			e.subscribeFor("slow", fmt.Sprintf("https://slow%d.example/", i))
		}
		e.run()
		pass(time.Second)
		sub := e.subscribeFor("quick", "https://quick.example/")
		pass(time.Second)
		if got := e.statusOf(sub.ID).Status; got != store.Subscribed {
			t.Errorf("it is %q, want Subscribed", got)
		}
		if asked, _ := e.asked(""); asked < 2 {
			t.Errorf("%d were asked, want one that hangs too", asked)
		}
	})
}
