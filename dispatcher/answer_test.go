package dispatcher_test

import (
	"testing"

	"github.com/outhook/outhook/dispatcher"
)

func TestErrorClass(t *testing.T) {
	for _, tt := range []struct {
		text string
		want dispatcher.Class
	}{
		{"", ""},
		{"http_status: 500 Internal Server Error", dispatcher.ClassHTTPStatus},
		{"blocked_address: words: more", dispatcher.ClassBlockedAddress},
		{"dns", dispatcher.ClassDNS},
		{"connect: x", dispatcher.ClassConnect},
		{"tls: x", dispatcher.ClassTLS},
		{"timeout: x", dispatcher.ClassTimeout},
		{"response: x", dispatcher.ClassResponse},
		{"canceled: x", dispatcher.ClassCanceled},
		{"unsubscribed", ""},
		{"TLS: x", ""},
		{" tls: x", ""},
		{"the endpoint answered 410 Gone: tls", ""},
	} {
		if got := dispatcher.ErrorClass(tt.text); got != tt.want {
			t.Errorf("ErrorClass(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}
