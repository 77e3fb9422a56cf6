package dispatcher_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

const (
	textKey  = signing.Secret("schlüssel-🔑")
	whsecKey = signing.Secret("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
)

// signedNames are the names of a signed delivery's headers when its subscription has none.
var signedNames = []string{"content-length", "content-type", "host", "user-agent",
	"webhook-attempt", "webhook-id",
	"webhook-signature", "webhook-timestamp", "x-airy-content-signature"}

// unsignedNames are those of an unsigned one.
var unsignedNames = []string{"content-length", "content-type", "host", "user-agent",
	"webhook-attempt", "webhook-id",
	"webhook-timestamp"}

func macOf(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

func TestDeliveryOnTheWire(t *testing.T) {
	url, requests := nettest.NewRaw(t, nettest.AnswerWith(200))
	w := startWire(t, dispatcher.Options{})
	w.subscribe(t, store.Subscription{URL: url + "/hooks/a%2Fb?tenant=7&x=%20",
		Secrets: []signing.Secret{textKey}})
	e := w.publish(t, map[string]string{"text": "grüße <&> \u2028"})
	body, err := e.Body()
	if err != nil {
		t.Fatal(err)
	}
	r := nettest.Receive(t, requests, "a request")

	if want := "POST /hooks/a%2Fb?tenant=7&x=%20 HTTP/1.1"; r.Line != want {
		t.Errorf("request line %q, want %q", r.Line, want)
	}
	if got := sorted(r.Names); !slices.Equal(got, signedNames) {
		t.Errorf("headers %q, want %q", got, signedNames)
	}
	if r.Body != string(body) {
		t.Errorf("body %q, want %q", r.Body, body)
	}
	for name, want := range map[string]string{
		"Host":                     strings.TrimPrefix(url, "http://"),
		"Content-Length":           strconv.Itoa(len(body)),
		"Content-Type":             "application/json",
		"User-Agent":               "outhook/" + dispatcher.Version,
		"X-Airy-Content-Signature": hex.EncodeToString(macOf(string(textKey), string(body))),
		"Webhook-Id":               e.ID,
		"Webhook-Attempt":          "1",
		"Webhook-Signature": "v1," + base64.StdEncoding.EncodeToString(
			macOf(string(textKey), e.ID+"."+r.Header.Get("webhook-timestamp")+"."+string(body))),
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	seconds, err := strconv.ParseInt(r.Header.Get("webhook-timestamp"), 10, 64)
	if age := time.Since(time.Unix(seconds, 0)); err != nil || age < 0 || age > nettest.Patience {
		t.Errorf("webhook-timestamp %q, want now", r.Header.Get("webhook-timestamp"))
	}
	v := signing.Verifier{Keys: []signing.Secret{textKey}}
	if err := v.Verify(http.Header(r.Header), []byte(r.Body)); err != nil {
		t.Errorf("Verify = %v, want nil", err)
	}
	if a := w.next(t); a.State != store.Delivered || a.Attempt.Status != 200 || a.Attempt.Error != "" {
		t.Errorf("state %q, attempt %+v; want a delivery", a.State, a.Attempt)
	}
}

func TestDeliveryWithoutKeyIsUnsigned(t *testing.T) {
	url, requests := nettest.NewRaw(t, nettest.AnswerWith(200))
	w := startWire(t, dispatcher.Options{UserAgent: "host/1.0 (+https://host.example)"})
	w.subscribe(t, store.Subscription{URL: url})
	w.publish(t, "text")
	r := nettest.Receive(t, requests, "a request")
	if r.Line != "POST / HTTP/1.1" {
		t.Errorf("request line %q, want that of the root", r.Line)
	}
	if got := sorted(r.Names); !slices.Equal(got, unsignedNames) {
		t.Errorf("headers %q, want %q", got, unsignedNames)
	}
	if got, want := r.Header.Get("User-Agent"), "host/1.0 (+https://host.example)"; got != want {
		t.Errorf("User-Agent %q, want %q", got, want)
	}
}

func TestDeliveryIsTheSameOnEveryAttempt(t *testing.T) {
	url, requests := nettest.NewRaw(t, nettest.AnswerWith(500), nettest.AnswerWith(201),
		nettest.AnswerWith(200))
	w := startWire(t, dispatcher.Options{Backoff: dispatcher.Backoff{Initial: time.Millisecond}})
	w.subscribe(t, store.Subscription{URL: url, Secrets: []signing.Secret{whsecKey}})
	e := w.publish(t, map[string]any{"b": 1.50, "a": []int{}})
	first := nettest.Receive(t, requests, "the first attempt")
	want, err := e.Body()
	if err != nil {
		t.Fatal(err)
	}
	for n, r := range []nettest.Request{first, nettest.Receive(t, requests, "the second attempt"),
		nettest.Receive(t, requests, "the third attempt")} {
		if r.Body != string(want) {
			t.Errorf("attempt %d: body %q, want %q", n+1, r.Body, want)
		}
		if got := r.Header.Get("webhook-id"); got != e.ID {
			t.Errorf("attempt %d: webhook-id %q, want %q", n+1, got, e.ID)
		}
		if got, want := r.Header.Get("webhook-attempt"), strconv.Itoa(n+1); got != want {
			t.Errorf("attempt %d: webhook-attempt %q, want %q", n+1, got, want)
		}
		if err := (signing.Verifier{Keys: []signing.Secret{whsecKey}}).Verify(http.Header(r.Header),
			[]byte(r.Body)); err != nil {
			t.Errorf("attempt %d: Verify = %v, want nil", n+1, err)
		}
	}
	for n, want := range []store.State{store.Pending, store.Pending, store.Delivered} {
		if a := w.next(t); a.State != want || a.Attempt.Number != n+1 {
			t.Errorf("attempt %d is number %d and leaves the delivery %q, want %q", n+1, a.Attempt.Number,
				a.State, want)
		}
	}
}

func TestDeliveryDuringRotation(t *testing.T) {
	const oldKey, newKey = textKey, whsecKey
	url, requests := nettest.NewRaw(t, nettest.AnswerWith(200))
	w := startWire(t, dispatcher.Options{})
	sub := w.subscribe(t, store.Subscription{URL: url, Secrets: []signing.Secret{oldKey}})

	check := func(stage string, airy signing.Secret, standard ...signing.Secret) {
		t.Helper()
		e := w.publish(t, stage)
		r := nettest.Receive(t, requests, "a request")
		if got, want := r.Header.Get("X-Airy-Content-Signature"),
			signing.Airy(airy, []byte(r.Body)); got != want {
			t.Errorf("%s: Airy's header is not signed by the key that it should be", stage)
		}
		seconds, err := strconv.ParseInt(r.Header.Get("webhook-timestamp"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		want := signing.Standard(e.ID, time.Unix(seconds, 0), []byte(r.Body), standard...)
		if got := r.Header.Get("webhook-signature"); got != want {
			t.Errorf("%s: webhook-signature %q, want %q", stage, got, want)
		}
	}
	check("before", oldKey, oldKey)
	if _, err := w.RotateSecret(t.Context(), sub.ID, newKey, time.Hour); err != nil {
		t.Fatal(err)
	}
	check("during the overlap", oldKey, oldKey, newKey)
	if _, err := w.store.UpdateSubscription(t.Context(), sub.ID, func(s *store.Subscription) error {
		s.OverlapUntil = time.Now().Add(-time.Second)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check("after the overlap", newKey, newKey)
	if _, err := w.RotateSecret(t.Context(), sub.ID, oldKey, 0); err != nil {
		t.Fatal(err)
	}
	check("at once", oldKey, oldKey)
}

func TestDeliverySendsNoCookies(t *testing.T) {
	url, requests := nettest.NewRaw(t, nettest.AnswerWith(200, "Set-Cookie: session=1; Path=/"))
	w := startWire(t, dispatcher.Options{})
	w.subscribe(t, store.Subscription{URL: url})
	for range 2 {
		w.publish(t, "text")
		if r := nettest.Receive(t, requests, "a request"); r.Header.Get("Cookie") != "" {
			t.Errorf("Cookie %q, want none", r.Header.Get("Cookie"))
		}
	}
}

func TestGoneEndsSubscription(t *testing.T) {
	url, _ := nettest.NewRaw(t, nettest.AnswerWith(410))
	w := startWire(t, dispatcher.Options{})
	sub := w.subscribe(t, store.Subscription{URL: url})
	w.publish(t, "text")
	if a := w.next(t); a.State != store.Dead || a.Attempt.Error != "http_status: 410 Gone" {
		t.Errorf("state %q, error %q; want dead and 410 Gone", a.State, a.Attempt.Error)
	}
	got := nettest.Receive(t, w.disabled, "a disabled subscription")
	if got.ID != sub.ID || got.Status != store.Unsubscribed || got.DisabledReason == "" {
		t.Errorf("disabled %+v, want %s unsubscribed with a reason", got, sub.ID)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	target, requests := nettest.NewRaw(t, nettest.AnswerWith(200))
	for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308, 399} {
		url, _ := nettest.NewRaw(t, nettest.AnswerWith(status, "Location: "+target+"/elsewhere",
			"Refresh: 0; url="+target))
		w := startWire(t, dispatcher.Options{Success: dispatcher.Any2xx})
		w.subscribe(t, store.Subscription{URL: url})
		w.publish(t, "text")
		a := w.next(t)
		if a.State != store.Pending || a.Attempt.Status != status ||
			dispatcher.ErrorClass(a.Attempt.Error) != dispatcher.ClassHTTPStatus ||
			!strings.HasSuffix(a.Attempt.Error, "redirects are not followed") {
			t.Errorf("%d: state %q, attempt %+v; want a failure with that status that says why", status,
				a.State, a.Attempt)
		}
		select {
		case r := <-requests:
			t.Errorf("%d: followed to %s", status, r.Line)
		default:
		}
	}
}

func TestEveryStatus(t *testing.T) {
	url := "http://" + nettest.Listen(t, func(c net.Conn) {
		nettest.TakeRequest(c, func(line string) string {
			return "HTTP/1.1 " + strings.Fields(line)[1][1:] + " Status\r\nConnection: close\r\n\r\n"
		})
	})
	strict := newWire(t, dispatcher.Options{})
	lenient := newWire(t, dispatcher.Options{Success: dispatcher.Any2xx})
	for status := 100; status <= 599; status++ {
		wantStatus, wantClass := status, dispatcher.ClassHTTPStatus
		if status < 200 && status != http.StatusSwitchingProtocols { // not an answer yet
			wantStatus, wantClass = 0, dispatcher.ClassConnect
		}
		for name, w := range map[string]*wire{"default": strict, "any 2xx": lenient} {
			want := wantClass
			if status == 200 || w == lenient && status/100 == 2 {
				want = ""
			}
			a := w.ping(t, url+"/"+strconv.Itoa(status))
			if a.Status != wantStatus || dispatcher.ErrorClass(a.Error) != want ||
				(a.Error == "") != (want == "") {
				t.Errorf("%s: %d: status %d, error %q; want %d and class %q", name, status, a.Status, a.Error,
					wantStatus, want)
			}
		}
	}
}
