package h1_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// plainRequest returns a request that this package writes itself.
func plainRequest(t *testing.T, url string, body []byte) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := new(h1.Body)
	b.Reset(body)
	req.Body, req.ContentLength = b, int64(len(body))
	req.Header = http.Header{
		"User-Agent":        {"outhook/1"},
		"Content-Type":      {"application/json"},
		"Webhook-Id":        {"0199"},
		"Webhook-Timestamp": {"1700000000"},
		"X-Custom":          {"a", "b"},
	}
	return req
}

// byNetHTTP returns what http.Request.Write makes of a request.
func byNetHTTP(t *testing.T, req *http.Request, body []byte) string {
	t.Helper()
	same := req.Clone(req.Context())
	same.Body = io.NopCloser(bytes.NewReader(body))
	var b bytes.Buffer
	if err := same.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What this package writes must be what net/http would: to receivers nothing is to change.
func TestWritesWhatNetHTTPWrites(t *testing.T) {
	const plain = "http://example.test:8080/hook/1?a=b&c=%20"
	long := bytes.Repeat([]byte("0123456789"), 2000)
	for name, c := range map[string]struct {
		url    string
		body   []byte
		change func(*http.Request)
		other  bool // net/http writes it
	}{
		"plain":                 {url: plain},
		"no path":               {url: "http://example.test"},
		"only a query":          {url: "http://example.test?x"},
		"an empty query":        {url: "http://example.test/a?"},
		"a path to escape":      {url: "http://example.test/ä b/%2F;c=1"},
		"capitals":              {url: "http://EXAMPLE.test/"},
		"user":                  {url: "http://a:b@example.test/"},
		"an address":            {url: "http://127.0.0.1:1/"},
		"a long body":           {url: plain, body: long},
		"PUT":                   {url: plain, change: func(r *http.Request) { r.Method = "PUT" }},
		"no User-Agent":         {url: plain, change: setHeader("User-Agent", ""), other: false},
		"no value of it":        {url: plain, change: setHeader("User-Agent")},
		"two of it":             {url: plain, change: setHeader("User-Agent", "a", "b")},
		"blanks around":         {url: plain, change: setHeader("X-Custom", " a\t", "\tb ")},
		"an empty value":        {url: plain, change: setHeader("X-Custom", "")},
		"no value":              {url: plain, change: setHeader("X-Custom")},
		"not canonical":         {url: plain, change: setHeader("x-custom", "c")},
		"Host as a header":      {url: plain, change: setHeader("Host", "other.test")},
		"Content-Length":        {url: plain, change: setHeader("Content-Length", "7")},
		"Transfer-Encoding":     {url: plain, change: setHeader("Transfer-Encoding", "chunked")},
		"Trailer":               {url: plain, change: setHeader("Trailer", "X-Custom")},
		"Connection":            {url: plain, change: setHeader("Connection", "close")},
		"Host of its own":       {url: plain, change: func(r *http.Request) { r.Host = "other.test" }},
		"the usual User-Agent":  {url: plain, change: unsetHeader("User-Agent"), other: true},
		"IPv6":                  {url: "http://[::1%25eth0]:80/", other: true},
		"an international name": {url: "http://bücher.test/", other: true},
		"no Host":               {url: plain, change: func(r *http.Request) { r.Host = "" }, other: true},
		"Close": {url: plain, other: true, change: func(r *http.Request) {
			r.Close = true
		}},
		"opaque": {url: plain, other: true, change: func(r *http.Request) {
			r.URL.Opaque = "//example.test/x"
		}},
		"no method": {url: plain, change: func(r *http.Request) { r.Method = "" }, other: true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.body == nil {
				c.body = []byte(`{"type":"a","payload":1}`)
			}
			req := plainRequest(t, c.url, c.body)
			if c.change != nil {
				c.change(req)
			}
			want := byNetHTTP(t, req, c.body)
			got, own, err := h1.Written(req)
			if err != nil || string(got) != want {
				t.Errorf("written: %v\n%q\nwant\n%q", err, got, want)
			}
			if own == c.other {
				t.Errorf("written by this package: %v, want %v", own, !c.other)
			}
		})
	}
}

func setHeader(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = values }
}

func unsetHeader(name string) func(*http.Request) {
	return func(r *http.Request) { delete(r.Header, name) }
}

// A query with a blank would end the target of the request, and what follows be taken for a header.
func TestWritesNoControlCharacters(t *testing.T) {
	for _, query := range []string{"a=b c", "a=\r\nX: y", "\x7f"} {
		req := plainRequest(t, "http://example.test/", []byte("1"))
		req.URL.RawQuery = query
		text, own, err := h1.Written(req)
		if own || err == nil && strings.Contains(string(text), "\r\nX: y") {
			t.Errorf("query %q: written by this package: %v\n%q", query, own, text)
		}
	}
}

func TestValidValues(t *testing.T) {
	for at := range 17 { // in the first eight, in the second, and behind them
		for c := range 256 {
			b := bytes.Repeat([]byte{'a'}, 17)
			b[at] = byte(c)
			for _, around := range [...]byte{' ', '!', '~', 0x80, 0xff} {
				b[(at+1)%len(b)] = around // a borrow from it must not hide or make anything
				got, want := h1.IsValidValue(string(b)), httpguts.ValidHeaderFieldValue(string(b))
				if got != want {
					t.Fatalf("%q: %v, want %v", b, got, want)
				}
			}
		}
	}
}

// A body of which nothing was written can go another way.
func TestBodyForHTTPIsInMemory(t *testing.T) {
	req := plainRequest(t, "http://example.test/", []byte("12345"))
	if _, own, err := h1.Written(req); !own || err != nil {
		t.Fatalf("written by this package: %v, %v", own, err)
	}
	req.Body = h1.ForHTTP(req.Body)
	// net/http flushes the headers of what it does not know to be in memory.
	var flushed flushes
	if err := req.Write(bufio.NewWriter(&flushed)); err != nil {
		t.Fatal(err)
	}
	if len(flushed) != 0 {
		t.Errorf("net/http flushed %q before the body", flushed)
	}
	if body := http.NoBody; h1.ForHTTP(body) != io.ReadCloser(body) || h1.ForHTTP(nil) != nil {
		t.Error("another body was not left as it is")
	}
}

// flushes keeps what is written.
type flushes []string

func (f *flushes) Write(p []byte) (int, error) {
	*f = append(*f, string(p))
	return len(p), nil
}

func TestWritingAllocatesNothing(t *testing.T) {
	req := plainRequest(t, "http://example.test/hook", []byte(`{"type":"a"}`))
	w := bufio.NewWriter(io.Discard)
	n := testing.AllocsPerRun(100, func() {
		if err := h1.WriteTo(w, req); err != nil {
			t.Fatal(err)
		}
	})
	if n > 2 { // none, but for the pool, which a collection empties, and the conn of this test
		t.Errorf("%v allocations, want at most 2", n)
	}
}
