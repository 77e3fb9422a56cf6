package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
)

func TestAttemptsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newDirect(t, config{})
		h.must("subscribe", example)
		h.publish(event1)
		if got, want := h.post("attempts", valid("attempts")).body, `{"data":[]}`; got != want {
			t.Errorf("before the first: got %s, want %s", got, want)
		}
		for _, step := range []struct {
			state store.State
			a     store.Attempt
		}{{store.Pending, failed}, {store.Pending, noAnswer}, {store.Delivered, succeeded}} {
			step.a.At = time.Now()
			h.attempt(step.state, step.a)
			<-time.After(time.Hour)
		}
		want := `{"data":[` +
			`{"number":1,"time":"2000-01-01T00:00:00.000Z","status":503,"duration_ms":2000,"error_class":"http_status","error":"http_status: 503 Service Unavailable","response":"down \ufffd"},` +
			`{"number":2,"time":"2000-01-01T01:00:00.000Z","duration_ms":15000,"error_class":"timeout","error":"timeout: no answer in time"},` +
			`{"number":3,"time":"2000-01-01T02:00:00.000Z","status":200,"duration_ms":41,"response":"thanks"}]}`
		if a := h.post("attempts", valid("attempts")); a.status != 200 || a.body != want {
			t.Errorf("got %d %s\nwant 200 %s", a.status, a.body, want)
		}
	})
}

// A webhook that is there and a delivery that isn't: the message says which.
func TestNoSuchDelivery(t *testing.T) {
	h := newHost(t, config{})
	h.prepare()
	for _, endpoint := range []string{"attempts", "redeliver"} {
		a := h.post(endpoint, body(endpoint, "event_id", `"other"`))
		if text := message(t, a); a.status != http.StatusNotFound ||
			!strings.Contains(text, "no delivery") {
			t.Errorf("%s: got %d %s, want 404 that speaks of the delivery", endpoint, a.status, a.body)
		}
		a = h.post(endpoint, body(endpoint, "webhook_id", `"`+id2+`"`))
		if text := message(t, a); a.status != http.StatusNotFound ||
			!strings.Contains(text, "no webhook") {
			t.Errorf("%s: got %d %s, want 404 that speaks of the webhook", endpoint, a.status, a.body)
		}
	}
}

// The detail of an attempt is shown to its tenant, but for the host's own address.
func TestAttemptDetail(t *testing.T) {
	h := newHost(t, config{})
	h.prepare("X-Tenant", "acme")
	a := failed
	a.Detail = &store.AttemptDetail{
		Request:   []store.HeaderField{{Name: "X-Custom-Header", Value: store.Masked}},
		Answer:    []store.HeaderField{{Name: "Server", Value: "<a\xff>"}},
		AnswerCut: true, RemoteAddress: "10.0.0.7:443", Connect: 2 * time.Millisecond,
	}
	h.attempt(store.Dead, a)
	const want = `"detail":{"request_headers":[{"name":"X-Custom-Header","value":"***"}],` +
		`"answer_headers":[{"name":"Server","value":"<a\ufffd>"}],"answer_truncated":true,"connect_ms":2`
	for _, test := range []struct {
		header, value, rest string
	}{{"X-Tenant", "acme", `}}]}`}, {"X-Operator", "yes", `,"remote_address":"10.0.0.7:443"}}]}`}} {
		got := h.post("attempts", valid("attempts"), test.header, test.value)
		if got.status != 200 || !strings.HasSuffix(got.body, want+test.rest) {
			t.Errorf("%s: got %d %s, want %s%s at the end", test.header, got.status, got.body, want,
				test.rest)
		}
	}
}
