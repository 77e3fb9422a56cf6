package dispatcher_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/store"
)

// hostile is an endpoint that misbehaves, and what must come of an attempt at it.
type hostile struct {
	name   string
	url    string
	status int
	want   string // how the attempt's error begins; "": it is delivered
	slow   bool   // it takes up the Timeout
}

// hostileTimeout is the Timeout where an endpoint takes it up; the others have nettest.Patience,
// and must not need it.
const hostileTimeout = 2 * time.Second

// canary is in every hostile endpoint's URL and in what some of them answer. It must be in no
// error.
const canary = "c4n4ry"

func TestHostileEndpoints(t *testing.T) {
	ca := nettest.NewAuthority(t)
	var quick, slow []hostile
	for _, e := range slices.Concat(silent(t), malformed(t), endless(t), handshakes(t, ca),
		streams(t, ca)) {
		if e.slow {
			slow = append(slow, e)
		} else {
			quick = append(quick, e)
		}
	}
	attemptHostile(t, ca, quick, nettest.Patience)
	attemptHostile(t, ca, slow, hostileTimeout)
}

// attemptHostile has an event delivered to all the endpoints and checks what comes of the first
// attempts.
func attemptHostile(t *testing.T, ca *nettest.Authority, endpoints []hostile,
	timeout time.Duration) {
	t.Helper()
	w := newWire(t, dispatcher.Options{
		Timeout: timeout, Concurrency: 2 * len(endpoints),
		Backoff: dispatcher.Backoff{Initial: time.Hour},
	})
	w.Trust(ca.Pool)
	w.run(t)
	byID := make(map[string]hostile)
	for _, e := range endpoints {
		byID[w.subscribe(t, store.Subscription{URL: e.url + "/" + canary + "?token=" + canary}).ID] = e
	}
	w.publish(t, strings.Repeat("x", 256<<10)) // more than a connection takes where nobody reads
	for range endpoints {
		a := w.next(t)
		e, ok := byID[a.Subscription.ID]
		if !ok {
			t.Fatalf("a second attempt before the first of others: %+v", a.Attempt)
		}
		delete(byID, a.Subscription.ID)
		checkHostile(t, e, a, timeout)
	}
}

func checkHostile(t *testing.T, e hostile, i dispatcher.Info, timeout time.Duration) {
	t.Helper()
	a, state := i.Attempt, store.Pending
	if e.want == "" {
		state = store.Delivered
	}
	if !strings.HasPrefix(a.Error, e.want) || (a.Error == "") != (e.want == "") ||
		a.Status != e.status || i.State != state {
		t.Errorf("%s: state %q, status %d, error %q; want %q, %d, %q", e.name, i.State, a.Status, a.Error,
			state, e.status, e.want)
	}
	if a.Error != "" && dispatcher.ErrorClass(a.Error) == "" {
		t.Errorf("%s: error %q has no class", e.name, a.Error)
	}
	for _, leak := range []string{canary, "127.0.0.1", nettest.Port(e.url), "://"} {
		if strings.Contains(a.Error, leak) {
			t.Errorf("%s: error %q holds %q", e.name, a.Error, leak)
		}
	}
	if slow := a.Duration >= timeout; slow != e.slow || a.Duration > timeout+nettest.Patience/4 {
		t.Errorf("%s: took %v of %v; want all of it: %v", e.name, a.Duration, timeout, e.slow)
	}
	if len(a.Response) > dispatcher.DefaultMaxResponse {
		t.Errorf("%s: %d bytes of the answer are kept, want at most %d", e.name, len(a.Response),
			dispatcher.DefaultMaxResponse)
	}
}

// thenRepeats is an answer of these bytes and then others for as long as they are taken.
func thenRepeats(begin, again string) func(net.Conn) {
	chunk := bytes.Repeat([]byte(again), 1+(16<<10)/len(again))
	return func(c net.Conn) {
		_, err := io.WriteString(c, begin)
		for err == nil {
			_, err = c.Write(chunk)
		}
	}
}

// thenTrickles is an answer of these bytes and then others, a little at a time.
func thenTrickles(begin, again string) func(net.Conn) {
	return func(c net.Conn) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		_, err := io.WriteString(c, begin)
		for err == nil {
			<-tick.C
			_, err = io.WriteString(c, again)
		}
	}
}

func thenResets(begin string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, begin)
		nettest.Reset(c)
	}
}

// silent are endpoints that give no answer, or not all of it.
func silent(t *testing.T) []hostile {
	http1 := func(serve func(net.Conn)) string { return "http://" + nettest.Listen(t, serve) }
	const partial = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"
	return []hostile{
		{name: "refuses", url: "http://" + nettest.Refusing(t), want: "connect: connection refused"},
		{name: "resets at once", url: http1(nettest.Reset), want: "connect: "},
		{name: "resets mid-request", url: http1(func(c net.Conn) {
			io.CopyN(io.Discard, c, 1000)
			nettest.Reset(c)
		}), want: "connect: connection reset"},
		{name: "closes without an answer", url: http1(nettest.Answering(func(c net.Conn) {
			c.Close()
		})), want: "connect: the connection was closed"},
		{name: "closes mid-header", url: http1(nettest.Answering(func(c net.Conn) {
			nettest.Says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")(c)
			c.Close()
		})), want: "connect: the connection was closed"},
		{name: "resets mid-body of a 200", url: http1(nettest.Answering(thenResets(partial))),
			status: 200},
		{name: "resets mid-body of a 500",
			url: http1(nettest.Answering(
				thenResets("HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\npart"))),
			status: 500, want: "http_status: 500 Internal Server Error"},
		{name: "accepts and hangs", url: http1(nettest.Answering(func(net.Conn) {})),
			want: "timeout: no answer in time", slow: true},
		{name: "never reads", url: http1(func(c net.Conn) {
			io.ReadFull(c, make([]byte, 1))
			<-t.Context().Done()
		}), want: "timeout: no answer in time", slow: true},
		{name: "trickles headers", url: http1(
			nettest.Answering(thenTrickles("HTTP/1.1 200 OK\r\n", "X-A: b\r\n"))), want: "timeout: ",
			slow: true},
		{name: "trickles a body after 200",
			url: http1(nettest.Answering(thenTrickles("HTTP/1.1 200 OK\r\n\r\n", "x"))), status: 200,
			slow: true},
		{name: "trickles a body after 500",
			url: http1(nettest.Answering(thenTrickles("HTTP/1.1 500 No\r\n\r\n", "x"))), status: 500,
			want: "http_status: 500", slow: true},
		{name: "never ends a body after 200", url: http1(nettest.Answering(nettest.Says(partial))),
			status: 200, slow: true},
		{name: "trickles 1xx", url: http1(
			nettest.Answering(thenTrickles("", "HTTP/1.1 102 Wait\r\n\r\n"))), want: "timeout: ",
			slow: true},
		{name: "101 and then hangs",
			url: http1(nettest.Answering(
				nettest.Says("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))),
			status: 101, want: "http_status: 101"},
	}
}

// malformed are endpoints that do not speak HTTP.
func malformed(t *testing.T) (list []hostile) {
	for name, answer := range map[string]string{
		"garbage":               "\x00\xff\x13" + canary + "\r\n\r\n",
		"text like TLS":         "tls: " + canary + "\r\n\r\n",
		"an SSH banner":         "SSH-2.0-OpenSSH_9.2 " + canary + "\r\n",
		"no version":            "HTTP 200 OK\r\n\r\n",
		"version 9":             "HTTP/x 200 OK\r\n\r\n",
		"no status":             "HTTP/1.1 \r\n\r\n",
		"status of letters":     "HTTP/1.1 abc OK\r\n\r\n",
		"status of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
		"status 000":            "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
		"status 099":            "HTTP/1.1 099 Nothing\r\nContent-Length: 0\r\n\r\n",
		"header without colon":  "HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n",
		"negative length":       "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"length of letters":     "HTTP/1.1 200 OK\r\nContent-Length: " + canary + "\r\n\r\n",
		"two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" +
			"Content-Length: 2\r\n\r\n",
		"unknown transfer encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + canary + "\r\n\r\n",
		"transfer encoding twice": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" +
			"Transfer-Encoding: chunked\r\n\r\n",
		"folded line before a header": "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
	} {
		list = append(list, hostile{name: name,
			url:  "http://" + nettest.Listen(t, nettest.Answering(nettest.Says(answer))),
			want: "response: not a proper HTTP answer"})
	}
	return append(list,
		hostile{name: "chunks of garbage after 200",
			url: "http://" + nettest.Listen(t,
				nettest.Answering(nettest.Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"))),
			status: 200},
		hostile{name: "status 999",
			url: "http://" + nettest.Listen(t,
				nettest.Answering(nettest.Says("HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n"))),
			status: 999, want: "http_status: 999"},
	)
}

// endless are endpoints that never stop answering.
func endless(t *testing.T) []hostile {
	http1 := func(serve func(net.Conn)) string {
		return "http://" + nettest.Listen(t, nettest.Answering(serve))
	}
	const (
		tooMuch = "response: not a proper HTTP answer"
		chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	)
	return []hostile{
		{name: "endless headers", url: http1(thenRepeats("HTTP/1.1 200 OK\r\n", "X-Header: value\r\n")),
			want: tooMuch},
		{name: "endless header line", url: http1(thenRepeats("HTTP/1.1 200 OK\r\nX-Header: ", "v")),
			want: tooMuch},
		{name: "endless status line", url: http1(thenRepeats("HTTP/1.1 200 ", "v")), want: tooMuch},
		{name: "endless 1xx", url: http1(thenRepeats("", "HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n")),
			want: tooMuch},
		{name: "endless body", url: http1(thenRepeats("HTTP/1.1 200 OK\r\n\r\n", "body")), status: 200},
		{name: "endless body of chunks", url: http1(thenRepeats(chunked, "1\r\nx\r\n")), status: 200},
		{name: "endless chunk extension", url: http1(thenRepeats(chunked+"1;", "x")), status: 200},
		{name: "endless trailer", url: http1(thenRepeats(chunked+"0\r\n", "X: y\r\n")), status: 200},
	}
}

// A gzip bomb is kept as the bytes that came.
func TestAnswersAreNotDecompressed(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 2<<20))
	z.Close()
	url, _ := nettest.NewRaw(t,
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"+bomb.String())
	a := newWire(t, dispatcher.Options{}).ping(t, url)
	if a.Status != 200 || !bytes.Equal(a.Response, bomb.Bytes()[:dispatcher.DefaultMaxResponse]) {
		t.Errorf("status %d and %.8x…, %d bytes; want the first %d of the bomb", a.Status, a.Response,
			len(a.Response), dispatcher.DefaultMaxResponse)
	}
}

func TestResponseIsKept(t *testing.T) {
	for _, tt := range []struct {
		name, answer, want string
	}{
		{"none", "Content-Length: 0\r\n\r\n", ""},
		{"short", "Content-Length: 2\r\n\r\nok", "ok"},
		{"in chunks", "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"},
		{"as long as is kept", "Content-Length: 1024\r\n\r\n" + strings.Repeat("y", 1024),
			strings.Repeat("y", 1024)},
		{"one byte longer", "Content-Length: 1025\r\n\r\n" + strings.Repeat("y", 1025),
			strings.Repeat("y", 1024)},
		{"cut off", "Content-Length: 100\r\n\r\npart", "part"},
		{"not text", "Content-Length: 3\r\n\r\n\x00\xff\n", "\x00\xff\n"},
	} {
		for _, status := range []string{"200 OK", "503 Busy"} {
			url, _ := nettest.NewRaw(t, "HTTP/1.1 "+status+"\r\nConnection: close\r\n"+tt.answer)
			w := newWire(t, dispatcher.Options{})
			if a := w.ping(t, url); string(a.Response) != tt.want {
				t.Errorf("%s, %s: kept %q, want %q", tt.name, status, a.Response, tt.want)
			}
		}
	}
}
