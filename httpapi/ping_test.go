package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
)

// after is an endpoint that takes its time.
func after(d time.Duration, e endpoint) endpoint {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return e(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// fails is an endpoint that can't be reached.
func fails(err error) endpoint {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func TestPingBytes(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp",
		Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 443}, Err: syscall.ECONNREFUSED}
	unknown := &net.DNSError{Err: "no such host", Name: "internal.example", Server: "10.0.0.53:53",
		IsNotFound: true}
	kilobyte := strings.Repeat("x", 1024)
	for _, test := range []struct {
		name     string
		endpoint endpoint
		want     string
	}{
		{"taken", after(41*time.Millisecond, says(200, "thanks")),
			`{"status":200,"duration_ms":41,"response":"thanks"}`},
		{"taken, with an empty answer", says(200, ""), `{"status":200,"duration_ms":0}`},
		{"rounded", after(1500*time.Microsecond, says(200, "")), `{"status":200,"duration_ms":2}`},
		{"refused", after(2*time.Second, says(503, "down")),
			`{"status":503,"duration_ms":2000,"error_class":"http_status","error":"http_status: 503 Service Unavailable","response":"down"}`},
		{"more than a kilobyte", says(200, kilobyte+"y"),
			`{"status":200,"duration_ms":0,"response":"` + kilobyte + `"}`},
		{"not UTF-8", says(200, "gr\xfc\xdfe <&>\x00"),
			`{"status":200,"duration_ms":0,"response":"gr\ufffd\ufffde <&>\u0000"}`},
		{"cut within a character", says(200, kilobyte[1:]+"ü"),
			`{"status":200,"duration_ms":0,"response":"` + kilobyte[1:] + `\ufffd"}`},
		{"no connection", after(3*time.Millisecond, fails(refused)),
			`{"duration_ms":3,"error_class":"connect","error":"connect: connection refused"}`},
		{"no such name", fails(unknown),
			`{"duration_ms":0,"error_class":"dns","error":"dns: the host's name does not resolve"}`},
		{"no answer", after(time.Hour, says(200, "")),
			`{"duration_ms":15000,"error_class":"timeout","error":"timeout: no answer in time"}`},
		{"trouble of another kind", fails(errors.New("secret detail of 10.0.0.7")),
			`{"duration_ms":0,"error_class":"connect","error":"connect: the connection broke before an answer"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newDirect(t, config{types: &dispatcher.Options{Transport: test.endpoint}})
				h.must("subscribe", example)
				if a := h.post("ping", valid("ping")); a.status != 200 || a.body != test.want {
					t.Errorf("got %d %s\nwant 200 %s", a.status, a.body, test.want)
				}
			})
		})
	}
}

// What the endpoint gets is signed, by the path of every delivery, also while the webhook is
// unsubscribed; and it leaves no trace.
func TestPingRequest(t *testing.T) {
	var bodies []string
	h := newHost(t,
		config{types: &dispatcher.Options{Transport: endpoint(
			func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				if err := (signing.Verifier{Keys: []signing.Secret{"key-1"}}).Verify(r.Header,
					body); err != nil {
					t.Errorf("the ping does not verify: %v", err)
				}
				if r.URL.String() != "https://endpoint.example/webhook" ||
					r.Header.Get("X-Custom-Header") != "value" {
					t.Errorf("got a request to %s with headers %v, want those of the webhook", r.URL, r.Header)
				}
				bodies = append(bodies, string(body))
				return says(200, "")(r)
			})}})
	h.must("subscribe", example)
	for range 2 {
		if a := h.post("ping", valid("ping")); a.status != 200 {
			t.Errorf("got %d %s, want 200", a.status, a.body)
		}
		h.must("unsubscribe", valid("unsubscribe"))
	}
	for _, body := range bodies {
		if !strings.HasPrefix(body, `{"type":"webhook.ping","timestamp":`) ||
			!strings.HasSuffix(body, `,"payload":{"id":"`+id1+`"}}`) {
			t.Errorf("got %s, want a webhook.ping with the webhook's id", body)
		}
	}
	if len(bodies) != 2 || len(h.deliveries()) != 0 {
		t.Errorf("got %d requests and deliveries %v, want 2 and none", len(bodies), h.deliveries())
	}
}

// A client that goes away while the endpoint is slow doesn't keep the endpoint busy, and is
// nobody's trouble.
func TestPingAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newDirect(t, config{types: &dispatcher.Options{Transport: after(time.Hour, says(200, ""))}})
		h.must("subscribe", example)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		a := h.with(ctx).post("ping", valid("ping"))
		if took := time.Since(start); a.status != 503 || took != time.Second ||
			strings.Contains(h.logged.String(), "level=ERROR") {
			t.Errorf("got %d after %v with the log %s, want 503 after a second and no error logged",
				a.status, took, h.logged)
		}
	})
}

// With event_type, the example of that type is sent in place of a webhook.ping.
func TestPingWithAnExample(t *testing.T) {
	var bodies []string
	h := newHost(t, config{types: &dispatcher.Options{
		EventTypes: []events.Type{{Name: "message.created", Example: []byte(`{"text":"hello"}`)},
			{Name: "message.updated"}},
		Transport: endpoint(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			bodies = append(bodies, string(body))
			return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, err
		}),
	}})
	h.must("subscribe", `{"id":"`+id1+`","url":"https://endpoint.example/"}`)
	a := h.post("ping", `{"id":"`+id1+`","event_type":"message.created"}`)
	if a.status != 200 || len(bodies) != 1 ||
		!strings.HasPrefix(bodies[0], `{"type":"message.created",`) ||
		!strings.HasSuffix(bodies[0], `"payload":{"text":"hello"}}`) {
		t.Errorf("got %d %s and sent %q, want the example", a.status, a.body, bodies)
	}
	for _, eventType := range []string{"message.updated", "order.created"} {
		a := h.post("ping", `{"id":"`+id1+`","event_type":"`+eventType+`"}`)
		if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "event_type ") {
			t.Errorf("%s: got %d %s, want 400 that names event_type", eventType, a.status, a.body)
		}
	}
	if h.post("ping", `{"id":"`+id1+`","event_type":""}`); len(bodies) != 2 ||
		!strings.HasPrefix(bodies[1], `{"type":"webhook.ping",`) {
		t.Errorf("an empty event_type: sent %q, want a ping", bodies)
	}
}
