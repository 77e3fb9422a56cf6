package flash_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/outhook/outhook/httpapi/console/internal/flash"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func newJar() *flash.Jar {
	return &flash.Jar{Request: httptest.NewRequest("POST", "/test", nil), Header: make(http.Header)}
}

// next returns the jar of the next request of the browser that has got a jar's answer.
func next(j *flash.Jar) *flash.Jar {
	n := newJar()
	for _, cookie := range (&http.Response{Header: j.Header}).Cookies() {
		if cookie.MaxAge >= 0 {
			n.Request.AddCookie(cookie)
		}
	}
	return n
}

// The result of a test fits a cookie whatever it answered, and says at least how it ended.
func TestTestResultFitsACookie(t *testing.T) {
	for _, test := range []struct {
		err, body string
		wantErr   string
		wantBody  bool
	}{
		{"timeout: slow", "short", "timeout: slow", true},
		{"timeout: slow", strings.Repeat("\x01", store.MaxResponse), "timeout: slow", false},
		{"tls: " + strings.Repeat("\x01", 4096), strings.Repeat("\x01", 8192), "tls", false},
		{strings.Repeat("\x01", 4096), "", "failed", false},
	} {
		j := newJar()
		j.PassTest("id", "order.created",
			&store.Attempt{Status: 500, Error: test.err, Response: []byte(test.body)}, true)
		if n := len(j.Header.Get("Set-Cookie")); n > 4096 {
			t.Errorf("got a cookie of %d bytes, want 4,096 at most", n)
		}
		got := next(j).TakeTest("id", "order.created", true)
		if got == nil || got.Status != 500 || got.OK() || got.Error != test.wantErr ||
			(got.Body != "") != test.wantBody {
			t.Errorf("got %+v, want the error %s and the body %t", got, test.wantErr, test.wantBody)
		}
		if got := next(j).TakeTest("id", "order.created", false); got == nil || got.Body != "" {
			t.Errorf("got %+v for one who may not see payloads, want no body", got)
		}
		if next(j).TakeTest("other", "order.created", true) != nil ||
			next(j).TakeTest("id", "", true) != nil {
			t.Error("a result is shown for another webhook or another test")
		}
	}
}

// A result and a proof are taken once, by the answer to the request that has taken them.
func TestTakenOnce(t *testing.T) {
	j, key := newJar(), signing.NewSecret()
	j.PassTest("id", "", &store.Attempt{Status: 200}, true)
	j.PassKey("id", key)
	page := next(j)
	if page.TakeTest("id", "", true) == nil || !page.TakeKey("id", key) {
		t.Fatal("the next page does not have what was passed to it")
	}
	for _, cookie := range (&http.Response{Header: page.Header}).Cookies() {
		if cookie.MaxAge >= 0 || !cookie.HttpOnly || cookie.Path != "" {
			t.Errorf("got the cookie %v, want it removed", cookie)
		}
	}
	if n := len(page.Header["Set-Cookie"]); n != 2 {
		t.Errorf("got %d cookies, want both removed", n)
	}
}

// A proof shows the key that it was made with, of its webhook, and no other.
func TestProofOfKey(t *testing.T) {
	key := signing.NewSecret()
	j := newJar()
	j.PassKey("id", key)
	if value := j.Header.Get("Set-Cookie"); strings.Contains(value, string(key[6:20])) {
		t.Errorf("got %s, want no part of the key", value)
	}
	if !next(j).TakeKey("id", key) || next(j).TakeKey("other", key) ||
		next(j).TakeKey("id", signing.NewSecret()) || newJar().TakeKey("id", key) ||
		newJar().TakeKey("id", "") {
		t.Error("a proof is good for another key or webhook, or not for its own")
	}
	none := newJar()
	if none.PassKey("id", ""); len(none.Header) != 0 || next(none).TakeKey("id", "") {
		t.Error("there is a proof without a key")
	}
}

// A cookie of a browser that has come by TLS is Secure, also behind a proxy that ends it; and one
// in frames of other sites always is, or it would not be sent.
func TestCookieIsSecure(t *testing.T) {
	for _, test := range []struct {
		site         string
		framed, want bool
	}{{"same-origin", false, true}, {"", false, false}, {"", true, true}} {
		j := newJar()
		j.Framed = test.framed
		j.Request.Header.Set("Sec-Fetch-Site", test.site)
		j.PassTest("id", "", new(store.Attempt), false)
		c := (&http.Response{Header: j.Header}).Cookies()[0]
		if c.Secure != test.want || c.Partitioned != test.framed ||
			(c.SameSite == http.SameSiteNoneMode) != test.framed {
			t.Errorf("%+v: got %v", test, c)
		}
	}
}
