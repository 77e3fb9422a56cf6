package dispatcher_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// contentOf returns what must be the same in all requests with one webhook-id.
func contentOf(r request) string {
	var out strings.Builder
	for _, name := range []string{"Content-Type", "Ce-Id", "Ce-Source", "Ce-Type", "Ce-Time",
		"Ce-Subject", "Ce-Dataschema", "Ce-Specversion", "Ce-Region", "Ce-Shop"} {
		if values := r.Header.Values(name); values != nil {
			fmt.Fprintf(&out, "%s: %q\n", name, values)
		}
	}
	return out.String() + "\n" + r.Body
}

// changer changes at random what the content of deliveries depends on.
type changer struct {
	*engine
	rand *rand.Rand
	key  signing.Secret
	sub  string
	sent []events.Event

	o           dispatcher.Options
	format      cloudevents.Format
	contentType string
	transform   func(*dispatcher.Request) error
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// hooks gives the options the hooks of now, of which some may be none.
func (c *changer) hooks() *dispatcher.Options {
	c.o.CloudEvents, c.o.Transform, c.o.Policy = nil, nil, nil
	if c.rand.IntN(3) > 0 {
		c.o.CloudEvents = func(store.Subscription) cloudevents.Format { return c.format }
	}
	if c.rand.IntN(3) > 0 {
		c.o.Transform = func(_ context.Context, _ store.Subscription, _ events.Event,
			r *dispatcher.Request) error {
			return c.transform(r)
		}
	}
	if c.rand.IntN(3) > 0 {
		c.o.Policy = func(store.Subscription) dispatcher.Policy {
			return dispatcher.Policy{ContentType: c.contentType}
		}
	}
	return &c.o
}

// settings changes what the hooks say, and what the owner does.
func (c *changer) settings() {
	c.format = cloudevents.Format{
		Mode:   pick(c.rand, cloudevents.Off, cloudevents.Structured, cloudevents.Binary),
		Source: pick(c.rand, "/a", "https://shop.example/b"),
		Extensions: map[string]string{
			pick(c.rand, "region", "shop"): pick(c.rand, "eu", "Ä 1"),
		},
	}
	c.contentType = pick(c.rand, "", "application/json", "application/vnd.shop+json")
	n := c.rand.IntN(100)
	c.transform = pick(c.rand,
		func(*dispatcher.Request) error { return nil },
		func(r *dispatcher.Request) error {
			r.Header.Set("X-Transformed", "yes")
			r.Body = fmt.Appendf(r.Body, "\n%d", n)
			return nil
		},
		func(r *dispatcher.Request) error { r.Body = nil; return nil },
		func(*dispatcher.Request) error { return errors.New("no template") },
		func(*dispatcher.Request) error { panic("a bug") },
	)
	c.setFields(c.sub, pick(c.rand, nil, []string{"vip"}, []string{"order.id", "order.items.sku"},
		[]string{"order"}, []string{"none"})...)
}

// answer changes how the endpoint answers. No attempt is counted that it throttles.
func (c *changer) answer() {
	c.answers(pick(c.rand,
		func(request) reply { return reply{Status: 200} },
		func(request) reply { return reply{Status: 200} },
		func(request) reply { return reply{Status: 500} },
		func(request) reply { return reply{Status: 400} },
		func(request) reply { return reply{Err: errors.New("reset")} },
		func(request) reply {
			return reply{Status: 429, Header: http.Header{"Retry-After": {"1"}}}
		},
	))
}

func (c *changer) step() {
	switch c.rand.IntN(9) {
	case 0, 1:
		c.settings()
	case 2, 3:
		c.answer()
	case 4:
		c.stop()
		c.restart(c.hooks())
		c.run()
	case 5:
		if len(c.sent) > 0 {
			ev := pick(c.rand, c.sent...)
			if err := c.Redeliver(c.t.Context(), c.sub, ev.ID); err != nil {
				c.t.Fatal(err)
			}
		}
	case 6:
		if len(c.sent) < 5 {
			c.sent = append(c.sent, c.publishOrder())
		}
	}
	pass(pick(c.rand, 2*time.Second, time.Minute, 20*time.Minute))
}

// TestContentOfAnIDStays changes fields, hooks, modes and the answers of an endpoint at random,
// between attempts that count and others, with restarts and redeliveries of what was delivered,
// died or failed. All requests with one webhook-id have the same content, and verify.
func TestContentOfAnIDStays(t *testing.T) {
	again, contents := 0, make(map[string]bool)
	for seed := range uint64(30) {
		onEachStore(t, func(t *testing.T, s store.Store) {
			c := &changer{rand: rand.New(rand.NewPCG(seed, 0)), key: signing.NewSecret(),
				o: dispatcher.Options{
					Backoff: dispatcher.Backoff{Initial: time.Minute, Max: time.Minute, MaxAttempts: 3},
					EventTypes: []events.Type{{Name: "order.created",
						Schema: json.RawMessage(`{"$id":"https://shop.example/order.json"}`)}}}}
			c.engine = newEngine(t, s, c.hooks())
			c.sub = c.subscribeFields(store.Subscription{Secrets: []signing.Secret{c.key}}, "vip").ID
			c.settings()
			c.answer()
			c.run()
			c.sent = append(c.sent, c.publishOrder())
			synctest.Wait() // the first attempt reads what a step changes
			for range 30 {
				c.step()
			}
			first := make(map[string]string)
			for i, r := range c.seen("") {
				got := contentOf(r)
				want, ok := first[r.EventID]
				if !ok {
					first[r.EventID], contents[strings.ReplaceAll(got, r.EventID, "")] = got, true
					continue
				}
				if again++; got != want {
					t.Errorf("seed %d: request %d, attempt %d of %s, has the content\n%s\nwant that of "+
						"the first\n%s", seed, i, r.Attempt, r.EventID, got, want)
				}
				v := signing.Verifier{Keys: []signing.Secret{c.key}, Tolerance: 1000 * time.Hour}
				if err := v.Verify(r.Header, []byte(r.Body)); err != nil {
					t.Errorf("seed %d: request %d does not verify: %v", seed, i, err)
				}
			}
		})
	}
	if again < 500 || len(contents) < 50 {
		t.Errorf("%d requests were repeated, of %d different contents: too few to show anything", again,
			len(contents))
	}
	t.Logf("%d requests were repeated, of %d different contents", again, len(contents))
}

// A poll makes no request, so that each reads by the settings of its time, and so does the first
// request to a URL that the subscription gets later.
func TestPollDecidesNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, pulling())
		sub, err := e.Subscribe(t.Context(), store.Subscription{Fields: []string{"vip"}})
		if err != nil {
			t.Fatal(err)
		}
		ev := e.publishOrder()
		e.run()
		pass(time.Second)
		redelivered := func(cursor string) {
			t.Helper()
			e.poll(sub.ID, cursor, 1)
			if err := e.Redeliver(t.Context(), sub.ID, ev.ID); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
		}
		vip, total := body(ev, `{"vip":true}`), body(ev, `{"order":{"total":120.50}}`)
		first := e.poll(sub.ID, "", 1)
		redelivered(first.Cursor)
		second := e.poll(sub.ID, "", 1)
		for _, r := range []dispatcher.PollResult{first, second} {
			if len(r.Deliveries) != 1 || string(r.Deliveries[0].Body) != vip {
				t.Fatalf("a poll has %+v, want %s", r.Deliveries, vip)
			}
		}
		e.setFields(sub.ID, "order.total")
		redelivered(second.Cursor)
		if third := e.poll(sub.ID, "", 1); len(third.Deliveries) != 1 ||
			string(third.Deliveries[0].Body) != total {
			t.Errorf("a poll with other fields has %+v, want %s", third.Deliveries, total)
		}
		_, err = e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.URL = "https://a.example/hook"
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if rs := e.seen(""); len(rs) != 1 || rs[0].Body != total {
			t.Errorf("requests are %+v, want one of %s", rs, total)
		}
	})
}
