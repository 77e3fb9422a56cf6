package httpapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/outhook/outhook/httpapi"
)

// An Authorizer can ask for credentials with a 401 and a challenge; each endpoint passes it on.
func TestUnauthenticated(t *testing.T) {
	h := newHost(t, config{})
	check := func(method, endpoint string) {
		t.Helper()
		a := h.do(method, "/webhooks."+endpoint, strings.NewReader(`{"?":1}`), "X-Tenant", "unknown")
		if a.status != 401 || a.header.Get("WWW-Authenticate") != `Bearer realm="hooks"` ||
			!strings.Contains(message(t, a), "not authenticated") {
			t.Errorf("%s: got %d %v %s, want a 401 with the challenge", endpoint, a.status, a.header, a.body)
		}
	}
	for _, endpoint := range endpoints {
		check(http.MethodPost, endpoint)
	}
	check(http.MethodGet, "openapi")
	check(http.MethodGet, "asyncapi")
	if strings.Contains(h.logged.String(), "realm") {
		t.Errorf("a refusal is logged:\n%s", h.logged)
	}
}

// Without a challenge of the host's that HTTP allows, there is the usual one: RFC 9110 demands one.
// The error is found in others that wrap it.
func TestUnauthenticatedChallenge(t *testing.T) {
	for challenge, want := range map[string]string{
		"": "Bearer", "Basic": "Basic", "a\r\nX: y": "Bearer", "a\x00": "Bearer",
	} {
		h := newHost(t, config{auth: func(*http.Request) (string, error) {
			return "", fmt.Errorf("session: %w", &httpapi.Unauthenticated{Challenge: challenge})
		}})
		a := h.post("list", "")
		if a.status != 401 || a.header.Get("WWW-Authenticate") != want || a.header.Get("X") != "" {
			t.Errorf("%q: got %d with %q, want 401 with %q", challenge, a.status,
				a.header.Get("WWW-Authenticate"), want)
		}
	}
	h := newHost(t, config{auth: func(*http.Request) (string, error) { return "", errors.New("no") }})
	if a := h.post("list", ""); a.status != 403 || a.header.Get("WWW-Authenticate") != "" {
		t.Errorf("another error: got %d %v, want 403 and no challenge", a.status, a.header)
	}
}

// Every answer ends with one newline, whatever its status: newAnswer has seen to it.
func TestAnswersEndWithANewline(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", `{"url":"https://endpoint.example/","id":"`+id1+`"}`)
	h.post("list", "")
	h.post("list", `{"page_size":1}`)
	h.post("info", `{}`)
	h.post("list", "", "X-Tenant", "stranger")
	h.post("list", "", "X-Tenant", "unknown")
	h.do(http.MethodPut, "/webhooks.list", nil)
	h.do(http.MethodGet, "/webhooks.openapi", nil)
	h.post("delete", `{"id":"`+id1+`"}`)
}
