package dispatcher_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/store"
)

// connectProxy is a proxy that takes CONNECT alone. It tunnels each request to the address, and
// tells what was asked for. If the address is empty, it answers 403.
func connectProxy(t *testing.T, address string) (proxy string, asked <-chan string) {
	t.Helper()
	ch := make(chan string, 16)
	return nettest.Listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		req, err := http.ReadRequest(r)
		if err != nil {
			t.Errorf("proxy: %v", err)
			return
		}
		ch <- req.Method + " " + req.RequestURI
		if address == "" {
			io.WriteString(c, "HTTP/1.1 403 secret-reason\r\n\r\n")
			return
		}
		up, err := net.Dial("tcp", address)
		if err != nil {
			t.Errorf("proxy: %v", err)
			return
		}
		defer up.Close()
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			io.Copy(up, r)
			up.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(c, up)
	}), ch
}

func parse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	var proxied nettest.Counter
	proxy := nettest.Listen(t, func(net.Conn) { proxied.Add() })
	if !nettest.InChild(t, "HTTP_PROXY=http://"+proxy, "HTTPS_PROXY=http://"+proxy,
		"ALL_PROXY=http://"+proxy,
		"http_proxy=http://"+proxy, "https_proxy=http://"+proxy, "all_proxy=http://"+proxy, "NO_PROXY=",
		"no_proxy=") {
		if n := proxied.Count(); n != 1 { // the one that net/http makes by itself
			t.Errorf("%d connections to the environment's proxy, want 1", n)
		}
		return
	}
	host := nettest.Name("endpoint")
	names := nettest.ServeNames(t, map[string][]string{host + ".": {"127.0.0.1"}})
	ca := nettest.NewAuthority(t)
	var reached nettest.Counter
	plain := nettest.ServeHTTP(t, &reached)
	secure := nettest.ServeTLS(t, &reached, ca.Config(t, host))
	w := newWire(t, dispatcher.Options{})
	w.Resolve(names.Resolver, ca.Pool)
	for _, url := range []string{"http://" + host + ":" + nettest.Port(plain),
		"https://" + host + ":" + nettest.Port(secure)} {
		if a := w.ping(t, url); a.Status != 200 || a.Error != "" {
			t.Errorf("%s: %+v, want 200", url, a)
		}
	}
	if n := reached.Count(); n != 2 {
		t.Errorf("%d requests reached the endpoints, want 2", n)
	}
	// by http.DefaultTransport: it shows that the environment does name a proxy
	http.Get("http://" + host + "/")
}

func TestProxyOfTheOptions(t *testing.T) {
	var elsewhere nettest.Counter
	other := nettest.Listen(t, func(net.Conn) { elsewhere.Add() })
	if !nettest.InChild(t, "HTTP_PROXY=http://"+other, "HTTPS_PROXY=http://"+other) {
		if n := elsewhere.Count(); n != 0 {
			t.Errorf("%d connections to the environment's proxy, want none", n)
		}
		return
	}
	httpProxy, proxied := nettest.NewRaw(t, nettest.AnswerWith(200))
	w := newWire(t, dispatcher.Options{Proxy: parse(t, httpProxy)})
	if a := w.ping(t, "http://nowhere.invalid/hook"); a.Status != 200 {
		t.Errorf("http: %+v, want 200", a)
	}
	if r := nettest.Receive(t, proxied,
		"a request at the proxy"); r.Line != "POST http://nowhere.invalid/hook HTTP/1.1" ||
		r.Header.Get("Host") != "nowhere.invalid" || r.Header.Get("webhook-id") == "" {
		t.Errorf("the proxy got %q, want a delivery to nowhere.invalid", r.Raw)
	}

	ca := nettest.NewAuthority(t)
	var reached nettest.Counter
	secure := nettest.ServeTLS(t, &reached, ca.Config(t, "nowhere.invalid"))
	proxy, asked := connectProxy(t, secure)
	w = newWire(t, dispatcher.Options{Proxy: parse(t, "http://"+proxy)})
	w.Trust(ca.Pool)
	if a := w.ping(t, "https://nowhere.invalid/hook"); a.Status != 200 || reached.Count() != 1 {
		t.Errorf("https: %+v and %d requests at the endpoint, want 200 and 1", a, reached.Count())
	}
	if got := nettest.Receive(t, asked, "a CONNECT"); got != "CONNECT nowhere.invalid:443" {
		t.Errorf("the proxy was asked for %q, want a tunnel to nowhere.invalid:443", got)
	}
	if a := w.ping(t, "https://other.invalid/hook"); dispatcher.ErrorClass(
		a.Error) != dispatcher.ClassTLS {
		t.Errorf("https with a certificate for another host: %+v, want class tls", a)
	}
}

func TestProxyThatRefuses(t *testing.T) {
	proxy, _ := connectProxy(t, "")
	w := startWire(t, dispatcher.Options{Proxy: parse(t, "http://"+proxy)})
	w.subscribe(t, store.Subscription{URL: "https://nowhere.invalid/hook"})
	w.publish(t, "text")
	a := w.next(t)
	if got := a.Attempt.Error; got != "connect: the sender's proxy refuses the endpoint" ||
		a.State != store.Pending {
		t.Errorf("error %q, state %q; want that the proxy refuses, to be retried", got, a.State)
	}
	gone := nettest.Listen(t, func(net.Conn) {})
	w = newWire(t, dispatcher.Options{Proxy: parse(t, "http://"+gone)})
	for _, url := range []string{"http://nowhere.invalid/hook", "https://nowhere.invalid/hook"} {
		a := w.ping(t, url)
		if dispatcher.ErrorClass(a.Error) != dispatcher.ClassConnect ||
			strings.Contains(a.Error, "127.") {
			t.Errorf("%s by a proxy that hangs up: %q, want class connect", url, a.Error)
		}
	}
}
