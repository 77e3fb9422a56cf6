package httpapi_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func TestMethods(t *testing.T) {
	h := newHost(t, config{})
	for _, endpoint := range endpoints {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
			a := h.do(method, "/webhooks."+endpoint, nil)
			if a.status != 405 || a.header.Get("Allow") != "POST" ||
				a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s webhooks.%s: got %d, Allow %q, %q; want 405, POST, JSON", method, endpoint,
					a.status, a.header.Get("Allow"), a.header.Get("Content-Type"))
			}
			if method != "HEAD" {
				message(t, a)
			}
		}
	}
}

func TestUnauthorized(t *testing.T) {
	h := newHost(t, config{})
	h.prepare("X-Tenant", "stranger2")
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
	h := newHost(t, everything())
	for _, endpoint := range endpoints {
		body := strings.NewReplacer(id1, id2, idPoll, id2).Replace(valid(endpoint))
		if body == "{}" || endpoint == "subscribe" {
			continue
		}
		a := h.post(endpoint, body)
		if a.status != 404 {
			t.Errorf("%s: got %d, want 404", endpoint, a.status)
		}
		message(t, a)
	}
}

func TestNotReady(t *testing.T) {
	var down atomic.Bool
	c := everything()
	c.api.Ready = func() error {
		if down.Load() {
			return errors.New("no route to 10.0.0.7")
		}
		return nil
	}
	h := newHost(t, c)
	sends := []string{"subscribe", "update", "ping", "verify", "redeliver", "replay", "resume"}
	for _, endpoint := range endpoints {
		down.Store(false)
		h.prepare()
		down.Store(true)
		a, want := h.post(endpoint, valid(endpoint)), 200
		if slices.Contains(sends, endpoint) {
			want = 409
		}
		if a.status != want {
			t.Errorf("%s: got %d %s, want %d", endpoint, a.status, a.body, want)
		}
		if a.status == 409 && !strings.Contains(message(t, a), "needs to be enabled") ||
			strings.Contains(a.body, "10.0.0.7") {
			t.Errorf("%s: got %s, want what needs to be enabled, without the host's words", endpoint, a.body)
		}
	}
	if !strings.Contains(h.logged.String(), "no route to 10.0.0.7") {
		t.Errorf("got log %s, want what Ready said", h.logged)
	}
	down.Store(false)
	h.must("subscribe", example)
}

func TestStoreFails(t *testing.T) {
	withWebhook := func(s store.Store) store.Store {
		newHost(t, config{store: s}).prepare()
		return s
	}
	for name, test := range map[string]struct {
		store store.Store
		fails []string
	}{
		"subscriptions": {
			brokenStore{memstore.New()},
			[]string{"subscribe", "update", "info", "list", "rotate", "ping", "stats", "verify", "poll",
				"deliveries", "event", "attempts", "redeliver", "replay", "pause", "resume",
				"unsubscribe", "delete"},
		},
		"history": {
			brokenHistory{withWebhook(memstore.New())},
			[]string{"stats", "deliveries", "event", "attempts", "redeliver", "replay", "delete",
				"test_filter"},
		},
	} {
		h := newHost(t, config{store: test.store})
		for _, endpoint := range test.fails {
			a := h.post(endpoint, valid(endpoint))
			if a.status != 503 || strings.Contains(message(t, a), "disk") {
				t.Errorf("%s, %s: got %d %s, want 503 without the store's words", name, endpoint, a.status,
					a.body)
			}
		}
		if got := strings.Count(h.logged.String(), "level=ERROR"); got != len(test.fails) ||
			!strings.Contains(h.logged.String(), errDisk.Error()) {
			t.Errorf("%s: got %d errors logged, want %d with what the store said: %s", name, got,
				len(test.fails), h.logged)
		}
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
		{"events", "-", "", 200},
		{"events", "text/plain", "{}", 415},
		{"deliveries", "-", "", 200},
		{"deliveries", "text/plain", "{}", 415},
		{"replay", "-", "", 415},
	} {
		a := h.post(test.endpoint, test.body, "Content-Type", test.contentType)
		if a.status != test.want {
			t.Errorf("%s with %s and %q: got %d %s, want %d", test.endpoint, test.contentType, test.body,
				a.status, a.body, test.want)
		}
		if test.want == 415 && !strings.Contains(message(t, a), "application/json") {
			t.Errorf("%s: got %s, want what the content type must be", test.contentType, a.body)
		}
	}
	for _, endpoint := range endpoints {
		if a := h.post(endpoint, valid(endpoint), "Content-Type", "text/plain"); a.status != 415 {
			t.Errorf("%s: got %d %s, want 415", endpoint, a.status, a.body)
		}
	}
}

func TestTooLarge(t *testing.T) {
	h := newHost(t, everything())
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
				h.prepare()
				a := h.do("POST", "/webhooks."+endpoint, reader)
				if a.status != test.want {
					t.Errorf("%s of %d bytes, %s: got %d %.200s, want %d", endpoint, test.size, name, a.status,
						a.body, test.want)
				}
				if a.status != 200 {
					message(t, a)
				}
			}
		}
	}
}

// What is wrong first is answered first.
func TestOrderOfChecks(t *testing.T) {
	notReady := newHost(t, config{api: httpapi.Options{Ready: func() error {
		return errors.New("not yet")
	}}})
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
		a := test.h.do(test.method, "/webhooks.subscribe", strings.NewReader(test.body), "X-Tenant",
			test.tenant, "Content-Type", test.contentType)
		if a.status != test.want {
			t.Errorf("%s: got %d, want %d", test.name, a.status, test.want)
		}
	}
}
