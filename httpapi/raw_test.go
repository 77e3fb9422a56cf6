package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A request that is too large is refused by what it announces: nobody waits for the body.
func TestTooLargeUnsent(t *testing.T) {
	h := newHost(t, config{})
	got := h.raw("POST /webhooks.info HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
		"Expect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 413 ") {
		t.Errorf("got %s, want 413", got)
	}
}

// The Authorizer decides before a byte of the body has come.
func TestAuthorizerBeforeBody(t *testing.T) {
	h := newHost(t, config{})
	got := h.raw("POST /webhooks.info HTTP/1.1\r\nHost: x\r\nX-Tenant: stranger\r\n" +
		"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
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
	fmt.Fprintf(conn,
		"POST /webhooks.subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\n\r\n%s", len(body)+1, body)
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
