package hostport_test

import (
	"testing"

	"github.com/outhook/outhook/store/internal/hostport"
)

func TestOf(t *testing.T) {
	for url, want := range map[string]string{
		"https://Hooks.Example/a?b":   "hooks.example:443",
		"https://hooks.example.:443/": "hooks.example:443",
		"http://hooks.example":        "hooks.example:80",
		"https://[2001:DB8::1]:8443/": "[2001:db8::1]:8443",
		"https://user@hooks.example/": "hooks.example:443",
		"HTTP://hooks.example:8080/":  "hooks.example:8080",
		"/only/a/path":                "",
		"https://hooks.example:port/": "",
		"":                            "",
	} {
		if got := hostport.Of(url); got != want {
			t.Errorf("Of(%q) is %q, want %q", url, got, want)
		}
	}
}
