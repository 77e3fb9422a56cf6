package pgstore_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// proxy is a network between a store and the server that can fail: it then forwards nothing more,
// but keeps the connections, as a network does that loses every packet.
type proxy struct {
	url string

	mu      sync.Mutex // guards all below
	change  chan struct{}
	sent    int // bytes, to the server
	left    int // that may still be sent, when it is counted
	counted bool
	held    bool          // nothing is forwarded to the client
	lose    string        // when this is sent to the server, held begins
	lag     time.Duration // what the server says is late by so much
	conns   []net.Conn
}

// newProxy returns a proxy before the server that the URL names.
func newProxy(t *testing.T, url string) *proxy {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := net.JoinHostPort(cfg.Host, portOf(url))
	p := &proxy{url: strings.Replace(url, server, l.Addr().String(), 1), change: make(chan struct{})}
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.conns {
			c.Close()
		}
		p.counted, p.held, p.left = false, false, 0
		p.changed()
	})
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, upstream)
			p.mu.Unlock()
			go p.forward(client, upstream, true)
			go p.forward(upstream, client, false)
		}
	}()
	return p
}

func portOf(url string) string {
	_, rest, _ := strings.Cut(url[strings.Index(url, "@"):], ":")
	port, _, _ := strings.Cut(rest, "/")
	return port
}

// changed is called with p.mu held.
func (p *proxy) changed() {
	close(p.change)
	p.change = make(chan struct{})
}

// cutAfter has only so many more bytes reach the server, and then nothing.
func (p *proxy) cutAfter(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counted, p.left = true, n
	p.changed()
}

// hold keeps what the server says from the client, until it is called again with false.
func (p *proxy) hold(held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = held
	p.changed()
}

// loseAnswerTo has the server do what it is asked to by a transaction with the text in it, and say
// nothing more to anybody.
func (p *proxy) loseAnswerTo(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = text
}

// awaitLoss waits until the text of loseAnswerTo was sent.
func (p *proxy) awaitLoss(t *testing.T) {
	t.Helper()
	await(t, "the transaction is sent whose answer is lost", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.lose == ""
	})
}

// look looks for the text of loseAnswerTo in what was sent.
func (p *proxy) look(sent []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose != "" && bytes.Contains(sent, []byte(p.lose)) {
		p.lose, p.held = "", true
		p.changed()
	}
}

// slow has all that the server says come late.
func (p *proxy) slow(lag time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lag = lag
}

// wait waits for as long as a packet of the server's is late.
func (p *proxy) wait() {
	p.mu.Lock()
	lag := p.lag
	p.mu.Unlock()
	<-time.After(lag)
}

// reset ends all connections, after which new ones work.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns, p.held = nil, false
	p.changed()
}

// bytesSent is how much has reached the server.
func (p *proxy) bytesSent() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

func (p *proxy) forward(from, to net.Conn, up bool) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	var last []byte // sent before: what is looked for may come in two packets
	for {
		n, err := from.Read(buf)
		if up {
			last = append(last, buf[:n]...)
			p.look(last)
			last = append(last[:0], last[max(0, len(last)-1000):]...)
		} else {
			p.wait()
		}
		for rest := buf[:n]; len(rest) > 0; {
			m, wait := p.may(len(rest), up)
			if wait != nil {
				<-wait
				continue
			}
			if _, err := to.Write(rest[:m]); err != nil {
				return
			}
			rest = rest[m:]
		}
		if err != nil {
			p.mu.Lock()
			cut := p.counted && p.left == 0
			p.mu.Unlock()
			if err != io.EOF || !cut { // the other side of a cut network does not learn of an end
				return
			}
			select {}
		}
	}
}

// may returns how many of n bytes may be forwarded, or what to wait for.
func (p *proxy) may(n int, up bool) (m int, wait chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case up && p.counted && p.left == 0, !up && (p.held || p.counted && p.left == 0):
		return 0, p.change
	case up && p.counted:
		m = min(n, p.left)
		p.left -= m
	default:
		m = n
	}
	if up {
		p.sent += m
	}
	return m, nil
}
