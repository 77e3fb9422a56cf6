package dispatcher_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// refusal returns why Subscribe refuses sub; it must name the field, and nothing may be stored.
func refusal(t *testing.T, w *wire, name, field string, sub store.Subscription) string {
	t.Helper()
	_, err := w.Subscribe(t.Context(), sub)
	var invalid *events.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != field || invalid.Reason == "" {
		t.Errorf("%s: Subscribe = %v, want an *events.InvalidError of %s", name, err, field)
		return ""
	}
	page, err := w.Subscriptions(t.Context(), store.SubscriptionQuery{})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("%s: %d subscriptions, %v; want none stored", name, len(page.Items), err)
	}
	return invalid.Reason
}

func subscribeRefuses(t *testing.T, w *wire, name, url string) {
	t.Helper()
	refusal(t, w, name+" "+url, "url", store.Subscription{URL: url})
}

// Subscribe refuses what package netguard refuses, in the field url, and stores the form that it
// returns. The bound and RequireHTTPS are the Dispatcher's.
func TestSubscribeChecksTheURL(t *testing.T) {
	w := newWire(t, dispatcher.Options{AllowPrefixes: []netip.Prefix{}})
	const begin = "https://example.com/"
	longest := begin + strings.Repeat("x", dispatcher.MaxURL-len(begin))
	for _, url := range []string{"", "ftp://example.com/", "http://10.0.0.1/", "http://0x7f.1/",
		longest + "x"} {
		subscribeRefuses(t, w, "refused", url)
	}
	for _, tt := range []struct{ url, want string }{
		{"https://bücher.example:8443/grüße?q=1",
			"https://xn--bcher-kva.example:8443/gr%C3%BC%C3%9Fe?q=1"},
		{longest, longest},
	} {
		if sub, err := w.Subscribe(t.Context(), store.Subscription{URL: tt.url}); err != nil ||
			sub.URL != tt.want {
			t.Errorf("Subscribe(%.60q) = %.60q, %v; want %.60q", tt.url, sub.URL, err, tt.want)
		}
	}
	secure := newWire(t, dispatcher.Options{RequireHTTPS: true})
	reason := refusal(t, secure, "http where https is required", "url",
		store.Subscription{URL: "http://example.com/"})
	if !strings.Contains(reason, "https://") {
		t.Errorf("reason %q, want one that says https://", reason)
	}
	if _, err := secure.Subscribe(t.Context(),
		store.Subscription{URL: "https://example.com/"}); err != nil {
		t.Errorf("https where it is required: %v", err)
	}
}

// While a host is developed, endpoints are on its own machine. Without the option that allows this,
// both messages name it; with it, a delivery gets there by any of the names.
func TestAllowLoopback(t *testing.T) {
	address := nettest.ServeHTTP(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	local := "http://localhost:" + nettest.Port(address)
	closed := newWire(t, dispatcher.Options{AllowPrefixes: []netip.Prefix{}})
	for _, url := range []string{"http://" + address, local} {
		reason := refusal(t, closed, "loopback", "url", store.Subscription{URL: url})
		if !strings.Contains(reason, "dispatcher.Options.AllowLoopback") {
			t.Errorf("%s: reason %q, want one that names AllowLoopback", url, reason)
		}
	}
	for _, url := range []string{"http://" + address, local} {
		a := closed.ping(t, url) // stored by a version that took it
		if dispatcher.ErrorClass(a.Error) != dispatcher.ClassBlockedAddress ||
			!strings.Contains(a.Error, "dispatcher.Options.AllowLoopback") {
			t.Errorf("%s: %+v, want a blocked address, and AllowLoopback named", url, a)
		}
	}
	open := newWire(t, dispatcher.Options{AllowPrefixes: []netip.Prefix{}, AllowLoopback: true})
	for _, url := range []string{"http://" + address, local} {
		sub, err := open.Subscribe(t.Context(), store.Subscription{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if a, err := open.Ping(t.Context(), sub.ID); err != nil || a.Status != 200 {
			t.Errorf("%s: %+v, %v; want 200", url, a, err)
		}
	}
}
