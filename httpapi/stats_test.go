package httpapi_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

func TestStatsBytes(t *testing.T) {
	const head = `{"id":"` + id1 + `","status":"Subscribed","signed":true,`
	for _, test := range []struct {
		name  string
		setup func(*host)
		want  string
	}{
		{"nothing yet", func(*host) {},
			head +
				`"pending":0,"in_flight":0,"hour":{"delivered":0,"failed":0},"day":{"delivered":0,"failed":0},"breaker":"closed","failures":0}`},
		{"pending", func(h *host) { h.publish("e-1"); <-time.After(time.Minute); h.publish("e-2") },
			head +
				`"pending":2,"in_flight":0,"oldest_pending_at":"2000-01-01T00:00:00.000Z","hour":{"delivered":0,"failed":0},"day":{"delivered":0,"failed":0},"breaker":"closed","failures":0}`},
		{"no answer", func(h *host) {
			h.send("e-1", "message.created", store.Dead, noAnswer)
			<-time.After(time.Hour / 2)
		},
			head +
				`"pending":0,"in_flight":0,"hour":{"delivered":0,"failed":1,"success_rate":0},"day":{"delivered":0,"failed":1,"success_rate":0},"breaker":"closed","failures":1,"failing_since":"2000-01-01T00:00:00.000Z"}`},
		{"three of four this hour, three of five this day", func(h *host) {
			h.send("e-0", "message.created", store.Dead, failed)
			<-time.After(2 * time.Hour)
			h.send("e-1", "message.created", store.Dead, failed)
			for _, id := range []string{"e-2", "e-3", "e-4"} {
				h.send(id, "message.created", store.Delivered, succeeded)
			}
		}, head +
			`"pending":0,"in_flight":0,"hour":{"delivered":3,"failed":1,"success_rate":0.75,"p50_ms":41,"p95_ms":1878},` +
			`"day":{"delivered":3,"failed":2,"success_rate":0.6,"p50_ms":41,"p95_ms":1878},"breaker":"closed","failures":0}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newDirect(t, config{})
			h.must("subscribe", example)
			test.setup(h)
			if a := h.post("stats", valid("stats")); a.status != 200 || a.body != test.want {
				t.Errorf("%s: got %d %s\nwant 200 %s", test.name, a.status, a.body, test.want)
			}
		})
	}
}

func TestStatsBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newDirect(t, config{})
		h.must("subscribe", example)
		for i := range dispatcher.BreakerThreshold {
			h.send("e-"+strings.Repeat("x", i), "message.created", store.Dead, failed)
			<-time.After(time.Minute)
		}
		if got, want := h.post("stats", valid("stats")).body,
			`"breaker":"open","failures":10,"failing_since":"2000-01-01T00:00:00.000Z"}`; !strings.HasSuffix(
			got, want) {
			t.Errorf("after ten failures: got %s, want %s", got, want)
		}
		h.send("e-1", "message.created", store.Delivered, succeeded)
		if got, want := h.post("stats", valid("stats")).body,
			`"breaker":"closed","failures":0}`; !strings.HasSuffix(got, want) {
			t.Errorf("after a success: got %s, want %s", got, want)
		}
	})
}

func TestStatsDisabled(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	_, err := h.d.Update(t.Context(), id1, func(s *store.Subscription) error {
		s.Status, s.DisabledReason = store.Unsubscribed, "the endpoint answered 410"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"` + id1 +
		`","status":"Unsubscribed","disabled_reason":"the endpoint answered 410","signed":true,"pending":0,`
	if a := h.post("stats", valid("stats")); a.status != 200 || !strings.HasPrefix(a.body, want) {
		t.Errorf("got %d %s, want %s", a.status, a.body, want)
	}
}
