package httpapi_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/memstore"
)

var endpoints = []string{"subscribe", "update", "unsubscribe", "info", "list"}

// valid returns a body that the endpoint takes.
func valid(endpoint string) string {
	switch endpoint {
	case "subscribe":
		return example
	case "list":
		return `{}`
	default:
		return `{"id":"` + id1 + `"}`
	}
}

func TestMethods(t *testing.T) {
	h := newHost(t, config{})
	for _, endpoint := range endpoints {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
			a := h.do(method, "/webhooks."+endpoint, nil)
			if a.status != 405 || a.header.Get("Allow") != "POST" || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s webhooks.%s: got %d, Allow %q, %q; want 405, POST, JSON", method, endpoint, a.status, a.header.Get("Allow"), a.header.Get("Content-Type"))
			}
			if method != "HEAD" {
				message(t, a)
			}
		}
	}
}

func TestUnauthorized(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example, "X-Tenant", "stranger2")
	for _, endpoint := range endpoints {
		a := h.post(endpoint, valid(endpoint), "X-Tenant", "stranger")
		if a.status != 403 || strings.Contains(message(t, a), "hunter2") {
			t.Errorf("%s: got %d %s, want 403 without the Authorizer's words", endpoint, a.status, a.body)
		}
	}
	if strings.Contains(h.logged.String(), "hunter2") {
		t.Errorf("the Authorizer's words were logged: %s", h.logged)
	}
}

func TestNotFound(t *testing.T) {
	h := newHost(t, config{})
	for _, endpoint := range []string{"update", "unsubscribe", "info"} {
		a := h.post(endpoint, `{"id":"`+id2+`"}`)
		if a.status != 404 {
			t.Errorf("%s: got %d, want 404", endpoint, a.status)
		}
		message(t, a)
	}
}

func TestNotReady(t *testing.T) {
	var down atomic.Bool
	h := newHost(t, config{api: httpapi.Options{Ready: func() error {
		if down.Load() {
			return errors.New("no route to 10.0.0.7")
		}
		return nil
	}}})
	h.must("subscribe", example)
	down.Store(true)
	want := map[string]int{"subscribe": 409, "update": 409, "unsubscribe": 200, "info": 200, "list": 200}
	for _, endpoint := range endpoints {
		a := h.post(endpoint, valid(endpoint))
		if a.status != want[endpoint] {
			t.Errorf("%s: got %d, want %d", endpoint, a.status, want[endpoint])
		}
		if a.status == 409 && !strings.Contains(message(t, a), "needs to be enabled") || strings.Contains(a.body, "10.0.0.7") {
			t.Errorf("%s: got %s, want what needs to be enabled, without the host's words", endpoint, a.body)
		}
	}
	if !strings.Contains(h.logged.String(), "no route to 10.0.0.7") {
		t.Errorf("got log %s, want what Ready said", h.logged)
	}
	down.Store(false)
	h.must("update", `{"id":"`+id1+`","status":"Subscribed"}`)
}

func TestStoreFails(t *testing.T) {
	h := newHost(t, config{store: brokenStore{memstore.New()}})
	for _, endpoint := range endpoints {
		a := h.post(endpoint, valid(endpoint))
		if a.status != 503 || strings.Contains(message(t, a), "disk") {
			t.Errorf("%s: got %d %s, want 503 without the store's words", endpoint, a.status, a.body)
		}
	}
	if got := strings.Count(h.logged.String(), "level=ERROR"); got != len(endpoints) || !strings.Contains(h.logged.String(), errDisk.Error()) {
		t.Errorf("got %d errors logged, want %d with what the store said: %s", got, len(endpoints), h.logged)
	}
}

func TestContentType(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	for _, test := range []struct {
		endpoint, contentType, body string
		want                        int
	}{
		{"info", "application/json", valid("info"), 200},
		{"info", "application/json; charset=utf-8", valid("info"), 200},
		{"info", "Application/JSON;charset=\"UTF-8\"", valid("info"), 200},
		{"info", "-", valid("info"), 415},
		{"info", "text/plain", valid("info"), 415},
		{"info", "text/json", valid("info"), 415},
		{"info", "application/json5", valid("info"), 415},
		{"info", "application/problem+json", valid("info"), 415},
		{"info", "application/x-www-form-urlencoded", valid("info"), 415},
		{"info", "application/json; charset", valid("info"), 415},
		{"info", "application/json, text/plain", valid("info"), 415},
		{"subscribe", "text/plain", example, 415},
		{"update", "text/plain", valid("update"), 415},
		{"unsubscribe", "text/plain", valid("unsubscribe"), 415},
		{"list", "-", "", 200},
		{"list", "text/plain", "", 200},
		{"list", "-", "{}", 415},
		{"list", "text/plain", "{}", 415},
	} {
		a := h.post(test.endpoint, test.body, "Content-Type", test.contentType)
		if a.status != test.want {
			t.Errorf("%s with %s and %q: got %d %s, want %d", test.endpoint, test.contentType, test.body, a.status, a.body, test.want)
		}
		if test.want == 415 && !strings.Contains(message(t, a), "application/json") {
			t.Errorf("%s: got %s, want what the content type must be", test.contentType, a.body)
		}
	}
}

func TestTooLarge(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	for _, endpoint := range endpoints {
		for _, test := range []struct {
			size int
			want int
		}{{256 << 10, 200}, {256<<10 + 1, 413}, {1 << 20, 413}} {
			body := valid(endpoint)
			body += strings.Repeat(" ", test.size-len(body))
			for name, reader := range map[string]io.Reader{
				"announced": strings.NewReader(body),
				"chunked":   struct{ io.Reader }{strings.NewReader(body)},
			} {
				a := h.do("POST", "/webhooks."+endpoint, reader)
				if a.status != test.want {
					t.Errorf("%s of %d bytes, %s: got %d %.200s, want %d", endpoint, test.size, name, a.status, a.body, test.want)
				}
				if a.status != 200 {
					message(t, a)
				}
			}
		}
	}
}

// A request that is too large is refused by what it announces: nobody waits for the body.
func TestTooLargeUnsent(t *testing.T) {
	h := newHost(t, config{})
	got := h.raw("POST /webhooks.info HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 413 ") {
		t.Errorf("got %s, want 413", got)
	}
}

// What is wrong first is answered first.
func TestOrderOfChecks(t *testing.T) {
	notReady := newHost(t, config{api: httpapi.Options{Ready: func() error { return errors.New("not yet") }}})
	ready := newHost(t, config{})
	large := strings.Repeat("x", 300<<10)
	for _, test := range []struct {
		name, method, tenant, contentType, body string
		h                                       *host
		want                                    int
	}{
		{"everything", "PUT", "stranger", "text/plain", large, notReady, 405},
		{"all but the method", "POST", "stranger", "text/plain", large, notReady, 403},
		{"allowed", "POST", "", "text/plain", large, notReady, 409},
		{"and ready", "POST", "", "text/plain", large, ready, 415},
		{"and JSON", "POST", "", "application/json", large, ready, 413},
		{"and small", "POST", "", "application/json", "xxx", ready, 400},
	} {
		a := test.h.do(test.method, "/webhooks.subscribe", strings.NewReader(test.body), "X-Tenant", test.tenant, "Content-Type", test.contentType)
		if a.status != test.want {
			t.Errorf("%s: got %d, want %d", test.name, a.status, test.want)
		}
	}
}

// The Authorizer decides before a byte of the body has come.
func TestAuthorizerBeforeBody(t *testing.T) {
	h := newHost(t, config{})
	got := h.raw("POST /webhooks.info HTTP/1.1\r\nHost: x\r\nX-Tenant: stranger\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 403 ") {
		t.Errorf("got %s, want 403", got)
	}
}

// raw sends bytes and returns what comes back until the host ends the response.
func (h *host) raw(request string) string {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		h.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		h.t.Fatalf("after %q: %v", request, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%s %s\n%s %v", resp.Proto, resp.Status, body, err)
}

// A request that is cut off changes nothing.
func TestCutOff(t *testing.T) {
	h := newHost(t, config{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"url":"https://endpoint.example/"}`
	fmt.Fprintf(conn, "POST /webhooks.subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body)+1, body)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("got %d, want 400", resp.StatusCode)
	}
	if n := len(decode[list](t, h.post("list", "")).Data); n != 0 {
		t.Errorf("got %d webhooks, want none", n)
	}
}
