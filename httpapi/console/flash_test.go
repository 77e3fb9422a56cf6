package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/outhook/outhook/store"
)

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
		q := &request{console: &console{}, r: httptest.NewRequest("POST", "/test", nil),
			header: make(http.Header), access: Access{May: MayAll}}
		q.rememberTest("id", "order.created",
			&store.Attempt{Status: 500, Error: test.err, Response: []byte(test.body)})
		cookie := (&http.Response{Header: q.header}).Cookies()[0]
		if n := len(q.header.Get("Set-Cookie")); n > 4096 {
			t.Errorf("got a cookie of %d bytes, want 4,096 at most", n)
		}
		q.r.AddCookie(cookie)
		got := q.readTest("id", "order.created")
		if got == nil || got.Status != 500 || got.OK() || got.Error != test.wantErr ||
			(got.Body != "") != test.wantBody {
			t.Errorf("got %+v, want the error %s and the body %t", got, test.wantErr, test.wantBody)
		}
	}
}

// A cookie of a browser that has come by TLS is Secure, also behind a proxy that ends it.
func TestFlashIsSecure(t *testing.T) {
	for site, want := range map[string]bool{"same-origin": true, "": false} {
		q := &request{console: &console{}, r: httptest.NewRequest("POST", "/test", nil),
			header: make(http.Header)}
		q.r.Header.Set("Sec-Fetch-Site", site)
		q.flash("a", "b")
		if got := (&http.Response{Header: q.header}).Cookies()[0].Secure; got != want {
			t.Errorf("Sec-Fetch-Site: %s: got Secure %t, want %t", site, got, want)
		}
	}
}
