package httpapi_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func TestRedeliverBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, state := range []store.State{store.Delivered, store.Dead, store.Pending} {
			h := newDirect(t, config{})
			h.must("subscribe", example)
			h.publish(event1)
			start := time.Now()
			h.attempt(state, noAnswer)
			<-time.After(time.Minute)
			a := h.post("redeliver", valid("redeliver"))
			const layout = "2006-01-02T15:04:05.000Z"
			want := `{"webhook_id":"` + id1 + `","event_id":"` + event1 +
				`","event_type":"message.created","state":"pending","attempts":1,` +
				`"created_at":"` + start.UTC().Format(layout) + `","due_at":"` +
				time.Now().UTC().Format(layout) + `"`
			if a.status != 200 || !strings.HasPrefix(a.body, want) {
				t.Errorf("one that is %s: got %d %s\nwant 200 %s", state, a.status, a.body, want)
			}
			h.attempt(store.Delivered, succeeded)
			if got := h.deliveries()[event1]; got != store.Delivered {
				t.Errorf("one that was %s: got %s, want that it was due at once", state, got)
			}
		}
	})
}

// What can't be sent is a 409 that says why, and stays as it is.
func TestRedeliverRefuses(t *testing.T) {
	h := newHost(t, config{})
	h.prepare()
	h.must("unsubscribe", valid("unsubscribe"))
	a := h.post("redeliver", valid("redeliver"))
	if text := message(t, a); a.status != 409 || !strings.Contains(text, "unsubscribed") {
		t.Errorf("of an unsubscribed webhook: got %d %s, want 409 that says so", a.status, a.body)
	}
	h.must("subscribe", example)
	if _, _, err := h.store.Erase(t.Context(), store.EraseQuery{EventID: event1}); err != nil {
		t.Fatal(err)
	}
	a = h.post("redeliver", valid("redeliver"))
	if text := message(t, a); a.status != 409 || !strings.Contains(text, "erased") {
		t.Errorf("of an erased event: got %d %s, want 409 that says so", a.status, a.body)
	}
	if got := h.deliveries()[event1]; got != store.Canceled {
		t.Errorf("got it %s, want it canceled as before", got)
	}
}

func TestReplay(t *testing.T) {
	for _, test := range []struct {
		name, fields string
		want         string // the answer
		pending      string // afterwards, newest first
	}{
		{"all that is finished", ``, `{"count":3}`, "c b b a"},
		{"the dead", `"state":"dead"`, `{"count":2}`, "c b b"},
		{"the dead of one", `"state":["dead","canceled"],"webhook_id":"` + id1 + `"`, `{"count":1}`,
			"c b"},
		{"one type", `"event_type":"a.x"`, `{"count":1}`, "c a"},
		{"one event", `"event_id":"b"`, `{"count":2}`, "c b b"},
		{"a time", `"since":"2000-01-01T00:00:00Z","until":"2000-01-01T00:30:00Z"`, `{"count":1}`, "c a"},
		{"what waits for a retry", `"state":"pending"`, `{"count":1}`, "c"},
		{"nothing", `"event_id":"none"`, `{"count":0}`, "c"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHistory(t)
			h.attemptLater("c")
			fields := test.fields
			if fields != "" {
				fields += ","
			}
			pending := func() string {
				return eventIDs(decode[deliveries](t, h.post("deliveries", `{"state":"pending"}`)).Data)
			}
			for range 2 {
				if a := h.post("replay", `{`+fields+`"dry_run":true}`); a.status != 200 ||
					a.body != test.want || pending() != "c" {
					t.Errorf("%s, dry run: got %d %s, pending %q; want 200 %s and nothing changed", test.name,
						a.status, a.body, pending(), test.want)
				}
			}
			if a := h.post("replay", `{`+fields+`"dry_run":false}`); a.status != 200 ||
				a.body != test.want || pending() != test.pending {
				t.Errorf("%s: got %d %s, pending %q; want 200 %s, pending %q", test.name, a.status, a.body,
					pending(), test.want, test.pending)
			}
		})
	}
}

// attemptLater fails what is due once more, so that it waits for a retry.
func (h *host) attemptLater(event string) {
	h.t.Helper()
	h.attempt(store.Pending, noAnswer)
	if got := h.deliveries()[event]; got != store.Pending {
		h.t.Fatalf("%s is %s, want it pending", event, got)
	}
}

// Deliveries of an unsubscribed webhook are passed over.
func TestReplayUnsubscribed(t *testing.T) {
	h := newHost(t, config{})
	h.prepare()
	h.must("unsubscribe", valid("unsubscribe"))
	for _, body := range []string{`{"dry_run":true}`, `{}`} {
		if a := h.post("replay", body); a.body != `{"count":0}` {
			t.Errorf("%s: got %d %s, want a count of 0", body, a.status, a.body)
		}
	}
	h.must("subscribe", example)
	if a := h.post("replay", `{}`); a.body != `{"count":1}` {
		t.Errorf("subscribed again: got %d %s, want a count of 1", a.status, a.body)
	}
}

// When the store fails on the way, the answer says how far it got.
func TestReplayHalf(t *testing.T) {
	h := newHost(t, config{store: halfRequeue{memstore.New()}})
	a := h.post("replay", `{}`)
	if text := message(t, a); a.status != 503 || !strings.Contains(text, " 3 ") ||
		strings.Contains(text, "disk") || strings.Contains(text, "nothing was changed") {
		t.Errorf("got %d %s, want 503 that says how many", a.status, a.body)
	}
	if !strings.Contains(h.logged.String(), errDisk.Error()) {
		t.Errorf("got log %s, want what the store said", h.logged)
	}
}
