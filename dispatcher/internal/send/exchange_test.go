package send_test

import (
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/send"
)

// The spellings of a host, on all its ports, are one.
func TestHostOf(t *testing.T) {
	s := newSender(t, nil, send.Hooks{})
	for url, want := range map[string]string{
		"https://a.example/":             "a.example",
		"https://A.Example:8443/x":       "a.example",
		"https://a.example.:443/?q":      "a.example",
		"http://127.0.0.1:8080/":         "127.0.0.1",
		"http://[::ffff:127.0.0.1]:80/":  "127.0.0.1",
		"http://[0:0:0:0:0:0:0:1]:8080/": "::1",
		"":                               "",
		"no url":                         "",
	} {
		if got := s.HostOf(url); got != want {
			t.Errorf("HostOf(%q): got %q, want %q", url, got, want)
		}
	}
}
