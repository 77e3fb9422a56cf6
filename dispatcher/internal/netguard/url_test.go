package netguard_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// rules are what the tests hold URLs to.
var rules = netguard.URLRules{MaxBytes: 2048}

func TestCheckURLRefuses(t *testing.T) {
	var p netguard.Policy
	for name, raw := range map[string]string{
		"empty":                     "",
		"no scheme":                 "example.com/hook",
		"no scheme, slashes":        "//example.com/hook",
		"file":                      "file:///etc/passwd",
		"gopher":                    "gopher://example.com/",
		"javascript":                "javascript:alert(1)",
		"unix":                      "http+unix://%2Frun%2Fdocker.sock/",
		"no host":                   "http:///hook",
		"no host, port":             "http://:8080/hook",
		"opaque":                    "http:example.com",
		"user":                      "http://user@example.com/",
		"user and password":         "http://user:pass@example.com/",
		"empty user":                "http://@example.com/",
		"fragment":                  "http://example.com/#a",
		"empty fragment":            "http://example.com/#",
		"blank in front":            " http://example.com/",
		"blank behind":              "http://example.com/ ",
		"blank inside":              "http://example.com/a b",
		"line feed":                 "http://example.com/a\nb",
		"carriage return":           "http://example.com/a\rHost: other",
		"NUL":                       "http://example.com/\x00",
		"DEL":                       "http://example.com/\x7f",
		"tab":                       "http://exa\tmple.com/",
		"backslash":                 "http://example.com\\@other.example/",
		"invalid UTF-8":             "http://example.com/\xff",
		"invalid UTF-8 in the host": "http://%ff.example/",
		"bad escape":                "http://example.com/%zz",
		"query not in ASCII":        "http://example.com/?q=ü",
		"port 0":                    "http://example.com:0/",
		"port 22":                   "http://example.com:22/",
		"port 25":                   "http://example.com:25/",
		"port 1023":                 "http://example.com:1023/",
		"port 65536":                "http://example.com:65536/",
		"port 2^32 + 80":            "http://example.com:4294967376/",
		"port with zeros":           "http://example.com:0443/",
		"port of letters":           "http://example.com:http/",
		"port negative":             "http://example.com:-80/",
		"port missing":              "http://example.com:/",
		"port twice":                "http://example.com:80:443/",
		"port of other digits":      "http://example.com:８０/",
		"empty label":               "http://example..com/",
		"dot alone":                 "http://./",
		"dot in front":              "http://.example.com/",
		"long label":                "http://" + strings.Repeat("a", 64) + ".com/",
		"long name":                 "http://" + strings.Repeat("a.", 127) + "com/",
		"characters no name has":    "http://exa$mple.com/",
		"percent in the name":       "http://a%25b.com/",
		"slash look-alike":          "http://a℀b.com/",
		"colon look-alike":          "http://127.0.0.1：80/",
		"broken punycode":           "http://xn--a.com/",
		"empty punycode":            "http://xn--/",
		"joiner alone":              "http://\u200d.com/",
		"numeric last label":        "http://example.1/",
		"hexadecimal last label":    "http://example.0x1f/",
		"IPv6 without brackets":     "http://2606:4700::1111/",
		"brackets not closed":       "http://[2606:4700::1111/",
		"name in brackets":          "http://[example.com]/",
		"IPv4 in brackets":          "http://[8.8.8.8]/",
		"zone on a public address":  "http://[2606:4700::1111%25eth0]/",
		"future IP literal":         "http://[v1.fe80::a]/",
	} {
		got, err := p.CheckURL(raw, rules)
		if err == nil || got != "" || strings.Contains(err.Error(), "pass@") {
			t.Errorf("%s: CheckURL(%q) = %q, %v; want an error that repeats no password", name, raw, got,
				err)
		}
	}
}

func TestCheckURLReturns(t *testing.T) {
	var p netguard.Policy
	for name, tt := range map[string]struct{ url, want string }{
		"plain":   {"https://example.com/hook", "https://example.com/hook"},
		"no path": {"https://example.com", "https://example.com"},
		"path and query as given": {"https://Example.com:8443/a%2fb/../c;d?q=%20+&&=",
			"https://Example.com:8443/a%2fb/../c;d?q=%20+&&="},
		"path not in ASCII":      {"https://example.com/grüße", "https://example.com/grüße"},
		"scheme in capitals":     {"HTTPS://example.com/", "HTTPS://example.com/"},
		"port 80":                {"http://example.com:80/", "http://example.com:80/"},
		"port 443":               {"http://example.com:443/", "http://example.com:443/"},
		"port 1024":              {"http://example.com:1024/", "http://example.com:1024/"},
		"port 65535":             {"http://example.com:65535/", "http://example.com:65535/"},
		"name with one label":    {"http://receiver/", "http://receiver/"},
		"trailing dot":           {"http://example.com./", "http://example.com./"},
		"underscore":             {"http://my_app.example.com/", "http://my_app.example.com/"},
		"hyphens in third place": {"https://my--site.example.app/", "https://my--site.example.app/"},
		"label of 63": {"http://" + strings.Repeat("a", 63) + ".com/",
			"http://" + strings.Repeat("a", 63) + ".com/"},
		"punycode": {"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"},
		"international": {"https://bücher.example:8443/grüße?q=1",
			"https://xn--bcher-kva.example:8443/gr%C3%BC%C3%9Fe?q=1"},
		"international, capitals": {"https://BÜCHER.example", "https://xn--bcher-kva.example"},
		"international, escaped":  {"https://b%C3%BCcher.example/", "https://xn--bcher-kva.example/"},
		"sharp s":                 {"https://faß.example/", "https://xn--fa-hia.example/"},
		"Japanese, their dots":    {"https://日本語。jp/", "https://xn--wgv71a119e.jp/"},
		"full-width name":         {"https://ｅｘａｍｐｌｅ.com/", "https://example.com/"},
		"soft hyphen":             {"https://exam\u00adple.com/", "https://example.com/"},
		"public IPv4":             {"http://8.8.8.8:8080/", "http://8.8.8.8:8080/"},
		"public IPv4, full-width": {"http://８.8.8.8:8080/", "http://8.8.8.8:8080/"},
		"public IPv4 with a dot":  {"http://8.8.8.8./", "http://8.8.8.8/"},
		"public IPv6":             {"http://[2606:4700::1111]:8080/", "http://[2606:4700::1111]:8080/"},
		"public IPv4, mapped":     {"http://[::ffff:8.8.8.8]/", "http://[::ffff:8.8.8.8]/"},
	} {
		if got, err := p.CheckURL(tt.url, rules); err != nil || got != tt.want {
			t.Errorf("%s: CheckURL(%q) = %q, %v; want %q", name, tt.url, got, err, tt.want)
		}
	}
}

func TestCheckURLBounds(t *testing.T) {
	var p netguard.Policy
	const begin = "https://example.com/"
	for _, bound := range []struct{ begin, unit string }{{begin, "x"}, {begin, "ü"},
		{"https://bücher.example/", "x"}} {
		fill := (rules.MaxBytes - len(bound.begin)) / len(bound.unit)
		longest := bound.begin + strings.Repeat(bound.unit, fill)
		longest += strings.Repeat("x", rules.MaxBytes-len(longest))
		if _, err := p.CheckURL(longest+"x", rules); err == nil {
			t.Errorf("%s…, %d bytes: no error, want one", longest[:30], len(longest)+1)
		}
		// A host that is not ASCII grows, and the whole URL with it when it is escaped.
		growsPast := strings.Contains(bound.begin, "ü")
		if _, err := p.CheckURL(longest, rules); (err != nil) != growsPast {
			t.Errorf("%s…, %d bytes: %v, want an error: %v", longest[:30], len(longest), err, growsPast)
		}
	}
	secure := netguard.URLRules{MaxBytes: rules.MaxBytes, RequireHTTPS: true}
	if _, err := p.CheckURL("http://example.com/", secure); err == nil ||
		!strings.Contains(err.Error(), "https://") {
		t.Errorf("http where https is required: %v, want an error that says https://", err)
	}
	if _, err := p.CheckURL("https://example.com/", secure); err != nil {
		t.Errorf("https where it is required: %v", err)
	}
}

// What is accepted is a URL that can only be dialed where it says; the same again is accepted as it
// is.
func FuzzCheckURL(f *testing.F) {
	for _, host := range spellings() {
		f.Add("http://" + host + ":8080/")
	}
	for _, url := range []string{"https://example.com/hook?q=1", "https://bücher.example:8443/grüße",
		"http://[2606:4700::1111]:8080/",
		"HTTP://EXAMPLE.com.", "http://a%25b.com", "http://8.8.8.8./",
		"https://xn--bcher-kva.example/#a"} {
		f.Add(url)
	}
	closed := &netguard.Policy{Deny: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"),
		netip.MustParsePrefix("::/0")}}
	var public netguard.Policy
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := public.CheckURL(raw, rules)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q is stored as %q, which does not parse: %v", raw, got, err)
		}
		host := u.Hostname()
		if (u.Scheme != "http" && u.Scheme != "https") || host == "" || u.User != nil ||
			u.Fragment != "" || u.Opaque != "" || len(got) > rules.MaxBytes {
			t.Errorf("%q is stored as %q", raw, got)
		}
		if strings.ContainsFunc(host, func(r rune) bool {
			return r <= ' ' || r >= utf8.RuneSelf || strings.ContainsRune("/\\@#?%", r)
		}) {
			t.Errorf("%q is stored with the host %q", raw, host)
		}
		if again, err := public.CheckURL(got, rules); err != nil || again != got {
			t.Errorf("%q is stored as %q, and that as %q, %v", raw, got, again, err)
		}
		if a, err := netip.ParseAddr(host); err == nil {
			if !public.Allows(a) {
				t.Errorf("%q is stored as %q, which must not be dialed", raw, got)
			}
			if _, err := closed.CheckURL(raw, rules); err == nil {
				t.Errorf("%q is accepted where every address is denied", raw)
			}
		}
	})
}
