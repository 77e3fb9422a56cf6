package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// What occurs while the sender has a webhook disabled is kept for its owner to replay, once the
// endpoint is repaired; what occurs while the owner has it unsubscribed is not.
func TestMissedWhileDisabled(t *testing.T) {
	const (
		reason = "the endpoint answered 410 Gone"
		all    = `"webhook_id":"` + id1 + `","state":["dead","canceled"]`
	)
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		gone.Store(true)
		h := newDirect(t,
			config{types: &dispatcher.Options{Transport: endpoint(
				func(r *http.Request) (*http.Response, error) {
					if gone.Load() {
						return says(410, "")(r)
					}
					return says(200, "")(r)
				})}})
		h.run()
		h.must("subscribe", example)
		publish := func(id string) { h.publish(id); <-time.After(time.Minute) }
		publish("last")
		publish("missed")
		got := decode[deliveries](t, h.post("deliveries", `{"state":"canceled"}`)).Data
		if eventIDs(got) != "missed" || got[0].LastError != reason || got[0].Attempts != 0 {
			t.Errorf("disabled: got %+v, want what was missed, canceled for the reason %q", got, reason)
		}
		if a := h.post("stats", valid("stats")); !strings.Contains(a.body,
			`"status":"Unsubscribed","disabled_reason":"`+reason+`"`) {
			t.Errorf("disabled: got the stats %s, want the reason %q", a.body, reason)
		}
		h.wantCount(`{`+all+`}`, 0)

		gone.Store(false)
		h.must("update", body("update", "status", `"Subscribed"`))
		h.wantCount(`{`+all+`,"dry_run":true}`, 2)
		h.wantCount(`{`+all+`}`, 2)
		<-time.After(time.Minute)
		if got := h.deliveries(); got["last"] != store.Delivered || got["missed"] != store.Delivered {
			t.Errorf("replayed: got %v, want both delivered", got)
		}
		if a := h.post("stats", valid("stats")); strings.Contains(a.body, "disabled_reason") ||
			strings.Contains(a.body, "failing_since") {
			t.Errorf("repaired: got the stats %s, want nothing wrong", a.body)
		}

		h.must("unsubscribe", valid("unsubscribe"))
		publish("unwanted")
		h.must("update", body("update", "status", `"Subscribed"`))
		h.wantCount(`{`+all+`}`, 0)
		if got := h.deliveries(); len(got) != 2 {
			t.Errorf("unsubscribed by the owner: got %v, want what occurred not kept", got)
		}
	})
}

// run has the dispatcher deliver until the test ends.
func (h *host) run() {
	ctx, stop := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.d.Run(ctx) }()
	h.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			h.t.Errorf("Run: %v", err)
		}
	})
}

// wantCount sends a request to replay and checks the count that it answers with.
func (h *host) wantCount(body string, want int) {
	h.t.Helper()
	a := h.post("replay", body)
	if got := decode[struct{ Count int }](h.t, a).Count; got != want {
		h.t.Errorf("replay %s: got %d %s, want a count of %d", body, a.status, a.body, want)
	}
}
