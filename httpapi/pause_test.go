package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store"
)

// A webhook is paused and resumed, and says so wherever it is shown.
func TestPause(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	for range 2 {
		if got := h.must("pause", valid("pause")); got.Status != "Paused" {
			t.Errorf("pause: got the status %q, want Paused", got.Status)
		}
	}
	for endpoint, body := range map[string]string{
		"info": valid("info"), "list": `{"page_size":5,"status":"Paused"}`, "stats": valid("stats"),
	} {
		if a := h.post(endpoint, body); !strings.Contains(a.body, `"status":"Paused"`) {
			t.Errorf("%s: got %s, want it paused", endpoint, a.body)
		}
	}
	if got := h.must("update", `{"id":"`+id1+`","name":"A"}`); got.Status != "Paused" {
		t.Errorf("update of the name: got the status %q, want Paused", got.Status)
	}
	for range 2 {
		if got := h.must("resume", valid("resume")); got.Status != "Subscribed" {
			t.Errorf("resume: got the status %q, want Subscribed", got.Status)
		}
	}
	// A client of Airy's resumes by the status that it knows.
	for _, status := range []string{"Paused", "Subscribed"} {
		got := h.must("update", `{"id":"`+id1+`","status":"`+status+`"}`)
		if string(got.Status) != status {
			t.Errorf("update: got the status %q, want %s", got.Status, status)
		}
	}
	h.must("pause", valid("pause"))
	if got := h.must("subscribe", example); got.Status != "Subscribed" {
		t.Errorf("subscribe: got the status %q, want Subscribed", got.Status)
	}
}

// What is unsubscribed can't be paused, or resumed: the client is told what to do.
func TestPauseOfUnsubscribed(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	h.must("unsubscribe", valid("unsubscribe"))
	for _, endpoint := range []string{"pause", "resume"} {
		a := h.post(endpoint, valid(endpoint))
		if a.status != http.StatusConflict || !strings.Contains(message(t, a), "subscribe it first") {
			t.Errorf("%s: got %d %s, want a 409 that says what to do", endpoint, a.status, a.body)
		}
	}
	if got := h.stored(id1).Status; got != store.Unsubscribed {
		t.Errorf("the status is %q, want it to stay", got)
	}
}

// Who sends a request is told to the Observer, by Access and by the context of the request.
func TestActor(t *testing.T) {
	var told []string
	h := newDirect(t, config{
		types: &dispatcher.Options{Observer: &dispatcher.Observer{
			OnAction: func(a dispatcher.Action) { told = append(told, string(a.Kind)+" by "+a.Actor) },
		}},
		api: httpapi.Options{Access: func(r *http.Request, tenant string) (httpapi.Access, error) {
			return httpapi.Access{Tenant: tenant, Actor: r.Header.Get("X-User")}, nil
		}},
	})
	h.must("subscribe", example, "X-User", "ada")
	h.must("pause", valid("pause"), "X-User", "grace\tlevel=ERROR")
	h.with(dispatcher.WithActor(t.Context(), "a job")).must("resume", valid("resume"))
	want := []string{"subscribe by ada", "pause by grace\ufffdlevel=ERROR", "resume by a job"}
	if !slices.Equal(told, want) {
		t.Errorf("the Observer was told %q, want %q", told, want)
	}
}
