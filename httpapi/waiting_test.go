package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// publishKeyed publishes a message.created with this id and ordering key.
func (h *host) publishKeyed(id, key string) {
	h.t.Helper()
	e, err := events.New("message.created", "hello")
	if err != nil {
		h.t.Fatal(err)
	}
	e.ID, e.Key = id, key
	if err := h.d.Publish(h.t.Context(), e); err != nil {
		h.t.Fatal(err)
	}
}

// waits returns what the deliveries of a filter wait for, newest first: "b key, a due".
func (h *host) waits(fields string) string {
	h.t.Helper()
	var out []string
	for _, d := range decode[deliveries](h.t, h.post("deliveries", `{`+fields+`}`)).Data {
		text := strings.TrimSpace(d.EventID + " " + d.Wait)
		if d.WaitUntil != nil {
			text += " until " + d.WaitUntil.Format("15:04")
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// A pending delivery says why it is not attempted now and until when; any other says nothing of it.
func TestDeliveriesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newDirect(t, config{})
		h.must("subscribe", example)
		check := func(when, fields, want string) {
			t.Helper()
			if got := h.waits(fields); got != want {
				t.Errorf("%s, {%s}: got %q, want %q", when, fields, got, want)
			}
		}
		h.publishKeyed("a", "order-1")
		h.publishKeyed("b", "order-1")
		h.publishKeyed("c", "")
		check("at first", ``, "c due, b key, a due")
		check("at first", `"key":"order-1"`, "b key, a due")
		check("at first", `"key":"order-2"`, "")
		claimed, err := h.store.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute})
		if err != nil || len(claimed.Claims) != 1 {
			t.Fatalf("claim: got %+v, %v", claimed, err)
		}
		check("with a under way", `"key":"order-1"`, "b key, a under_way until 00:01")
		h.must("pause", valid("pause"))
		check("paused", `"event_id":"c"`, "c paused")
		h.must("resume", valid("resume"))
		c := claimed.Claims[0]
		a := noAnswer
		a.Number = c.Attempt
		_, err = h.store.Finish(t.Context(), store.Outcome{Lease: c.Lease, Attempt: a,
			State: store.Pending, RetryIn: 5 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		check("after a failure", `"class":"timeout"`, "a retry until 00:05")
		h.must("unsubscribe", valid("unsubscribe"))
		check("canceled", ``, "c, b, a")
	})
}

// The key is in each response that has a delivery.
func TestDeliveryKey(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	h.publishKeyed(event1, "order-1")
	for _, endpoint := range []string{"deliveries", "event", "redeliver"} {
		if a := h.post(endpoint, valid(endpoint)); a.status != 200 ||
			!strings.Contains(a.body, `"event_type":"message.created","key":"order-1","state"`) {
			t.Errorf("%s: got %d %s, want the key", endpoint, a.status, a.body)
		}
	}
	if a := h.post("replay", `{"key":"order-1","state":"pending","dry_run":true}`); a.body !=
		`{"count":0}` { // it is due already
		t.Errorf("replay of what is due: got %d %s, want none", a.status, a.body)
	}
	h.attempt(store.Dead, failed)
	for _, test := range []struct{ key, want string }{{"order-2", `{"count":0}`},
		{"order-1", `{"count":1}`}} {
		if a := h.post("replay", `{"key":"`+test.key+`","state":"dead"}`); a.body != test.want {
			t.Errorf("replay by the key %s: got %d %s, want %s", test.key, a.status, a.body, test.want)
		}
	}
}

// Where few deliveries match, a page ends before it is full, and says how far back it has looked;
// the last page and a full one say nothing.
func TestDeliveriesSearchedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newDirect(t, config{})
		h.must("subscribe", example)
		const batch = 500
		for i := range 24 { // more than a store passes over for one page
			evs := make([]events.Event, batch)
			for j := range evs {
				e, err := events.New("message.created", "hello")
				if err != nil {
					t.Fatal(err)
				}
				e.ID = fmt.Sprintf("e-%d-%d", i, j)
				evs[j] = e
			}
			if err := h.store.Enqueue(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
			<-time.After(61 * time.Second)
		}
		full := decode[deliveries](t, h.post("deliveries", `{"state":"pending"}`))
		if len(full.Data) != 100 || full.Pagination.SearchedTo != nil {
			t.Errorf("a full page: got %d deliveries, searched_to %v; want 100 and none",
				len(full.Data), full.Pagination.SearchedTo)
		}
		var searched []string
		for cursor := ""; ; {
			page := decode[deliveries](t, h.post("deliveries",
				`{"class":"tls","cursor":"`+cursor+`"}`)).Pagination
			cursor = *page.NextCursor
			if to := page.SearchedTo; (to == nil) != (cursor == "") {
				t.Fatalf("page %d: searched_to %v, next_cursor %q; want both or neither",
					len(searched)+1, to, cursor)
			}
			if cursor == "" {
				break
			}
			searched = append(searched, *page.SearchedTo)
		}
		if len(searched) == 0 {
			t.Fatal("no page ended before it was full")
		}
		for i, to := range searched {
			if to < "2000-01-01T00:00:00.000Z" || to > "2000-01-01T00:25:00.000Z" ||
				i > 0 && to > searched[i-1] || !strings.HasSuffix(to, ":00.000Z") {
				t.Errorf("searched to %q, want whole minutes that go back, of these deliveries", searched)
			}
		}
	})
}
