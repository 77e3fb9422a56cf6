package dispatcher_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/store"
)

// reservedNames are the header names that a subscription cannot set, with some of each family.
var reservedNames = []string{
	"Content-Type", "X-Airy-Content-Signature", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature",
	"Webhook-Attempt",
	"Host", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection", "Keep-Alive",
	"TE", "Trailer", "Upgrade",
	"Expect", "Date", "Accept-Encoding", "Idempotency-Key", "X-Idempotency-Key",
	"Proxy-Authorization", "Proxy-Connection", "Proxy-", "Sec-Fetch-Mode", "Sec-WebSocket-Key", "Sec-",
	"X-Airy-Anything", "X-Airy-",
	"Webhook-Anything", "Webhook-",
}

func TestHeadersReserved(t *testing.T) {
	w := newWire(t, dispatcher.Options{})
	for _, name := range reservedNames {
		for _, spelt := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			reason := refuseHeaders(t, w, "reserved", map[string]string{spelt: "value"})
			if !strings.Contains(reason, fmt.Sprintf("%q", spelt)) {
				t.Errorf("%s: reason %q, want one that names it", spelt, reason)
			}
		}
	}
}

func refuseHeaders(t *testing.T, w *wire, name string, headers map[string]string) string {
	t.Helper()
	reason := refusal(t, w, name, "headers",
		store.Subscription{URL: "https://example.com/", Headers: headers})
	if strings.Contains(reason, canary) {
		t.Errorf("%s: reason %q repeats a value", name, reason)
	}
	return reason
}

func TestHeadersRefused(t *testing.T) {
	w := newWire(t, dispatcher.Options{})
	for name, h := range map[string]map[string]string{
		"empty name":                 {"": "v"},
		"blank in the name":          {"X Y": "v"},
		"blank before the name":      {" X-Y": "v"},
		"blank behind the name":      {"X-Y ": "v"},
		"colon in the name":          {"X:Y": "v"},
		"CR in the name":             {"X\rY": "v"},
		"LF in the name":             {"X-Y\nHost": "v"},
		"NUL in the name":            {"X\x00Y": "v"},
		"name not in ASCII":          {"X-Ü": "v"},
		"CR in the value":            {"X-Y": canary + "\rv"},
		"LF in the value":            {"X-Y": canary + "\nv"},
		"CR LF in the value":         {"X-Y": canary + "\r\nHost: other"},
		"NUL in the value":           {"X-Y": canary + "\x00"},
		"DEL in the value":           {"X-Y": canary + "\x7f"},
		"ESC in the value":           {"X-Y": canary + "\x1b[31m"},
		"invalid UTF-8 in the value": {"X-Y": canary + "\xff"},
		"blank before the value":     {"X-Y": " " + canary},
		"blank behind the value":     {"X-Y": canary + " "},
		"tab before the value":       {"X-Y": "\t" + canary},
		"tab behind the value":       {"X-Y": canary + "\t"},
		"twice, in different case":   {"X-Token": canary, "x-token": canary},
		"value of 4097 bytes":        {"X-Y": strings.Repeat("v", dispatcher.MaxHeaderValue+1)},
		"name of 257 bytes":          {strings.Repeat("n", dispatcher.MaxHeaderName+1): "v"},
		"33 headers":                 manyHeaders(dispatcher.MaxHeaders + 1),
	} {
		refuseHeaders(t, w, name, h)
	}
}

func manyHeaders(n int) map[string]string {
	h := make(map[string]string)
	for i := range n {
		h[fmt.Sprintf("X-Header-%d", i)] = "v"
	}
	return h
}

// What is accepted arrives, and nothing beside it.
func TestHeadersOnTheWire(t *testing.T) {
	for name, headers := range map[string]map[string]string{
		"usual": {"Authorization": "Bearer abc", "x-custom": "value", "Cookie": "a=b",
			"X-AIRYLIKE": "1"},
		"empty value":  {"X-Empty": ""},
		"inner blanks": {"X-Inner": "a  b\tc"},
		"not ASCII":    {"X-Greeting": "grüße 🔑"},
		"odd name":     {"!#$%&'*+-.^_`|~0aZ": "v"},
		"underscore":   {"webhook_id": "mine"},
		"their agent":  {"user-agent": "Their/1.0"},
		"their accept": {"Accept": "*/*", "Content-Language": "de", "Origin": "null",
			"Forwarded": "for=1"},
		"colon and comma": {"X-Value": "a:b, c; d=\"e\""},
		"longest value":   {"X-Long": strings.Repeat("v", dispatcher.MaxHeaderValue)},
		"longest name":    {"X" + strings.Repeat("n", dispatcher.MaxHeaderName-1): "v"},
		"most":            manyHeaders(dispatcher.MaxHeaders),
	} {
		url, requests := nettest.NewRaw(t, nettest.AnswerWith(200))
		w := newWire(t, dispatcher.Options{})
		sub := w.subscribe(t, store.Subscription{URL: url, Headers: headers})
		if a, err := w.Ping(t.Context(), sub.ID); err != nil || a.Error != "" {
			t.Fatalf("%s: Ping = %+v, %v", name, a, err)
		}
		r := nettest.Receive(t, requests, "a request")
		want := slices.Clone(unsignedNames)
		for header, value := range headers {
			if got := r.Header.Values(http.CanonicalHeaderKey(header)); len(got) != 1 || got[0] != value {
				t.Errorf("%s: %s arrived as %.100q, want %.100q once", name, header, got, value)
			}
			if lower := strings.ToLower(header); lower != "user-agent" {
				want = append(want, lower)
			}
		}
		if got := sorted(r.Names); !slices.Equal(got, sorted(want)) {
			t.Errorf("%s: headers %q, want %q", name, got, sorted(want))
		}
	}
}

// With headers that were stored past all checks, nothing leaves the machine.
func TestHeadersStoredUnchecked(t *testing.T) {
	url, requests := nettest.NewRaw(t, nettest.AnswerWith(200))
	w := newWire(t, dispatcher.Options{})
	for i, headers := range []map[string]string{
		{"webhook-id": "forged"}, {"content-type": "text/plain"}, {"Host": "other"}, {"Content-Length": "1"},
		{"X-Split": canary + "\r\nHost: other"},
	} {
		sub := w.put(t, store.Subscription{ID: fmt.Sprintf("%d0000000-29fa-450d-a59f-ae3c25d7260f", i),
			URL: url, Headers: headers})
		a, err := w.Ping(t.Context(), sub.ID)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != 0 || dispatcher.ErrorClass(a.Error) != dispatcher.ClassSender ||
			strings.Contains(a.Error, canary) {
			t.Errorf("%q: %+v, want a failure of the sender's that does not repeat it", headers, a)
		}
	}
	select {
	case r := <-requests:
		t.Errorf("a request was sent: %q", r.Raw)
	default:
	}
}
