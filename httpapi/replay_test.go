package httpapi_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
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
		{"all that is finished", `"until":"2000-01-02T00:00:00Z"`, `{"count":3}`, "c b b a"},
		{"the dead", `"state":"dead"`, `{"count":2}`, "c b b"},
		{"the dead of one", `"state":["dead","canceled"],"webhook_id":"` + id1 + `"`, `{"count":1}`,
			"c b"},
		{"one type", `"event_type":"a.x","since":"2000-01-01T00:00:00Z"`, `{"count":1}`, "c a"},
		{"one event", `"event_id":"b"`, `{"count":2}`, "c b b"},
		{"a time", `"since":"2000-01-01T00:00:00Z","until":"2000-01-01T00:30:00Z"`, `{"count":1}`, "c a"},
		{"what waits for a retry", `"state":"pending"`, `{"count":1}`, "c"},
		{"a class", `"class":"http_status","state":"dead"`, `{"count":2}`, "c b b"},
		{"another class", `"class":"timeout","state":"dead"`, `{"count":0}`, "c"},
		{"a status", `"status":"2xx","until":"2000-01-02T00:00:00Z"`, `{"count":1}`, "c a"},
		{"another status", `"status":404,"until":"2000-01-02T00:00:00Z"`, `{"count":0}`, "c"},
		{"nothing", `"event_id":"none"`, `{"count":0}`, "c"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHistory(t)
			h.attemptLater("c")
			fields := test.fields + ","
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
	for _, body := range []string{`{"dry_run":true,"event_id":"` + event1 + `"}`, valid("replay")} {
		if a := h.post("replay", body); a.body != `{"count":0}` {
			t.Errorf("%s: got %d %s, want a count of 0", body, a.status, a.body)
		}
	}
	h.must("subscribe", example)
	if a := h.post("replay", valid("replay")); a.body != `{"count":1}` {
		t.Errorf("subscribed again: got %d %s, want a count of 1", a.status, a.body)
	}
}

// When the store fails on the way, the answer says how far it got.
func TestReplayHalf(t *testing.T) {
	h := newHost(t, config{store: halfRequeue{memstore.New()}})
	a := h.post("replay", `{"state":"dead"}`)
	if text := message(t, a); a.status != 503 || !strings.Contains(text, " 3 ") ||
		strings.Contains(text, "disk") || strings.Contains(text, "nothing was changed") {
		t.Errorf("got %d %s, want 503 that says how many", a.status, a.body)
	}
	if !strings.Contains(h.logged.String(), errDisk.Error()) {
		t.Errorf("got log %s, want what the store said", h.logged)
	}
}

// A step that has made deliveries pending says so, though their probe failed: without the cursor
// the client would begin anew.
func TestReplayStepWithoutProbe(t *testing.T) {
	h := newHost(t, config{store: noProbe{memstore.New()}})
	a := h.post("replay", `{"state":"dead","page_size":5}`)
	if a.status != 200 || !strings.Contains(a.body, `"count":3`) ||
		!strings.Contains(a.body, ".more") {
		t.Errorf("got %d %s, want the count and the cursor", a.status, a.body)
	}
	if !strings.Contains(h.logged.String(), errDisk.Error()) {
		t.Errorf("got log %s, want what the store said", h.logged)
	}
}

// A request that names nothing would send everything again.
func TestReplayMustName(t *testing.T) {
	h := newHost(t, config{})
	h.prepare()
	h.attempt(store.Dead, failed)
	for _, body := range []string{`{}`, `{"dry_run":true}`, `{"event_type":"message.created"}`,
		`{"class":"http_status"}`, `{"status":503}`, `{"key":"order-1"}`,
		`{"state":[]}`, `{"state":"","webhook_id":null,"event_id":"","since":"","until":null}`,
		`{"page_size":5}`, `{"cursor":""}`} {
		for _, headers := range [][]string{nil, {"X-Operator", "yes"}} {
			a := h.post("replay", body, headers...)
			if text := message(t, a); a.status != 400 ||
				!strings.Contains(text, "webhook_id, event_id, state") {
				t.Errorf("replay %s of %q: got %d %s, want 400 that says what to name", body, headers, a.status,
					a.body)
			}
		}
	}
	if got := h.deliveries()[event1]; got != store.Dead {
		t.Errorf("got it %s, want it dead as before", got)
	}
}

// In steps: each has its count and the cursor of the next, and all have what one request replays.
func TestReplaySteps(t *testing.T) {
	for _, size := range []string{`"page_size":2`, `"page_size":1000`, `"cursor":""`} {
		h := newHost(t, config{})
		h.must("subscribe", example)
		for range 5 {
			e, err := events.New("message.created", "hello")
			if err != nil {
				t.Fatal(err)
			}
			if err := h.d.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		for n := 0; n < 5; { // one that is new gets one at a time
			h.attempt(store.Dead, failed)
			n = 0
			for _, state := range h.deliveries() {
				if state == store.Dead {
					n++
				}
			}
		}
		replayed, steps := 0, 0
		for fields := `"state":"dead",` + size; ; {
			a := h.post("replay", `{`+fields+`}`)
			got := decode[struct {
				Count int     `json:"count"`
				Next  *string `json:"next_cursor"`
			}](t, a)
			if a.status != 200 || got.Next == nil {
				t.Fatalf("replay {%s}: got %d %s, want 200 with a cursor", fields, a.status, a.body)
			}
			replayed, steps = replayed+got.Count, steps+1
			if *got.Next == "" {
				break
			}
			fields = `"state":"dead","page_size":2,"cursor":"` + *got.Next + `"`
		}
		if want := map[bool]int{true: 3, false: 1}[strings.HasSuffix(size, ":2")]; replayed != 5 ||
			steps < want {
			t.Errorf("%s: replayed %d in %d steps, want 5 in %d at least", size, replayed, steps, want)
		}
		for body, field := range map[string]string{
			`{"state":"dead","dry_run":true,"page_size":5}`: "dry_run",
			`{"state":"dead","cursor":"not one of ours"}`:   "cursor",
			`{"state":"dead","page_size":0}`:                "page_size",
		} {
			if a := h.post("replay", body); a.status != 400 || !strings.HasPrefix(message(t, a), field+" ") {
				t.Errorf("replay %s: got %d %s, want 400 that names %s", body, a.status, a.body, field)
			}
		}
	}
}
