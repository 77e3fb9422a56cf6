package send_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/send"
)

// What a subscription has in the store is checked again when it is sent: another hand may have
// written it. Nothing is sent then, and the endpoint is not to blame.
func TestStoredHeaders(t *testing.T) {
	sent := 0
	s := newSender(t, transportFunc(func(r *http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	}), send.Hooks{})
	for name, headers := range map[string]map[string]string{
		"a name of the sender's":       {"Webhook-Id": canary},
		"one that frames the request":  {"transfer-encoding": canary},
		"a name with a blank":          {"X Own": canary},
		"a name with a line break":     {"X\r\nY": canary},
		"no name":                      {"": canary},
		"a value with a line break":    {"X-Own": canary + "\r\nX: y"},
		"a value that is no UTF-8":     {"X-Own": canary + "\xff"},
		"a value with a blank behind":  {"X-Own": canary + " "},
		"two names that are one":       {"X-Own": canary, "x-own": "b"},
		"two names, neither canonical": {"X-OWN": canary, "x-own": "b"},
		"a long name":                  {"X\x00" + strings.Repeat("x", 10_000): canary},
	} {
		c := newClaim("https://endpoint.example/")
		c.Subscription.Headers = headers
		r := s.Send(t.Context(), c, policy, "")
		if r.Kind != send.KindOurs || r.Host != "" ||
			!strings.HasPrefix(r.Attempt.Error, "sender: the stored header ") ||
			strings.Contains(r.Attempt.Error, canary) || len(r.Attempt.Error) > 300 {
			t.Errorf("%s: %+v, want an error of the sender's that names the header", name, r)
		}
	}
	if sent != 0 {
		t.Errorf("%d requests were sent, want none", sent)
	}
	c := newClaim("https://endpoint.example/")
	c.Subscription.Headers = map[string]string{"x-own": "a", "X-Other": "", "User-Agent": "theirs"}
	for range 2 { // the second time, they have been checked
		if r := s.Send(t.Context(), c, policy, ""); r.Attempt.Status != 200 {
			t.Errorf("headers that may be sent: %+v, want 200", r)
		}
	}
	// Another subscription to the same URL, or the same one after a change.
	other := newClaim("https://endpoint.example/")
	other.Subscription.Headers = map[string]string{"X-Own": "a\r\nX: y"}
	if r := s.Send(t.Context(), other, policy, ""); r.Kind != send.KindOurs {
		t.Errorf("headers of another subscription: %+v, want an error of the sender's", r)
	}
}

// A stored URL that the guard refuses is not even given to a transport of the host's, or a proxy,
// which have no guard of ours. It is the endpoint's failure, as when its name resolves there.
func TestStoredURL(t *testing.T) {
	sent := 0
	o := newOptions(transportFunc(func(r *http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	}), send.Hooks{})
	o.Guard = &netguard.Policy{}
	s := send.New(o)
	for url, want := range map[string]string{
		"http://10.0.0.1/":            "the host's address is one that deliveries must not go to",
		"https://[fd00:ec2::254]/":    "the host's address is one that deliveries must not go to",
		"http://161.26.0.10/":         "the host's address is one that deliveries must not go to",
		"http://endpoint.example:22/": "the host's address is one that deliveries must not go to",
		"http://localhost/":           "for development, set dispatcher.Options.AllowLoopback",
	} {
		for range 2 { // the second time it could be in a cache
			r := s.Send(t.Context(), newClaim(url), policy, "")
			if r.Kind != send.KindDown || send.Class(r.Attempt.Error) != send.ClassBlockedAddress ||
				!strings.HasSuffix(r.Attempt.Error, want) {
				t.Errorf("%s: %+v, want a blocked address: %s", url, r, want)
			}
		}
	}
	if sent != 0 {
		t.Errorf("%d requests were sent, want none", sent)
	}
}
