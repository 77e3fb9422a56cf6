package httpapi_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// send publishes an event of tenant "" and records an attempt of each of its deliveries, which
// leaves them in a state.
func (h *host) send(id, eventType string, state store.State, a store.Attempt) {
	h.t.Helper()
	e, err := events.New(eventType, "hello")
	if err != nil {
		h.t.Fatal(err)
	}
	e.ID = id
	if err := h.d.Publish(h.t.Context(), e); err != nil {
		h.t.Fatal(err)
	}
	h.attempt(state, a)
}

// attempt records an attempt of everything that is due.
func (h *host) attempt(state store.State, a store.Attempt) {
	h.t.Helper()
	claimed, err := h.store.Claim(h.t.Context(), store.ClaimRequest{Max: 1000, Lease: time.Minute})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range claimed.Claims {
		a.Number = c.Attempt
		o := store.Outcome{Lease: c.Lease, Attempt: a, State: state}
		if state == store.Pending {
			o.RetryIn = time.Hour
		}
		if _, err := h.store.Finish(h.t.Context(), o); err != nil {
			h.t.Fatal(err)
		}
	}
}

var (
	succeeded = store.Attempt{Status: 200, Duration: 41 * time.Millisecond, Response: []byte("thanks")}
	failed    = store.Attempt{Status: 503, Duration: 2 * time.Second,
		Error: "http_status: 503 Service Unavailable", Response: []byte("down \xff")}
	noAnswer = store.Attempt{Duration: 15 * time.Second, Error: "timeout: no answer in time"}
)

// newHistory returns a host with the events a, b and c, one every hour, which differ in everything
// that a filter can go by.
func newHistory(t *testing.T) *host {
	h := newDirect(t, config{})
	h.must("subscribe", body("subscribe", "events", `["a.x","b.x"]`))
	h.must("subscribe", `{"id":"`+id2+`","url":"https://other.example/","events":["b.x","c.x"]}`)
	h.send("a", "a.x", store.Delivered, succeeded)
	<-time.After(time.Hour)
	h.send("b", "b.x", store.Dead, failed) // to both
	<-time.After(time.Hour)
	h.send("c", "c.x", store.Pending, noAnswer)
	<-time.After(time.Hour)
	return h
}
