package nettest

import (
	"context"
	"crypto/rand"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Name returns a name below .test that begins with prefix and that nobody else has: it does not
// depend on what a machine's hosts file holds.
func Name(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()) + ".test" }

// NameServer is a DNS server.
type NameServer struct {
	Resolver *net.Resolver // asks it, and nobody else

	mu      sync.Mutex
	records map[string][]string // by name, the addresses
	moving  bool
	lookups int // queries for A records
}

// ServeNames starts a name server that knows the records.
func ServeNames(t *testing.T, records map[string][]string) *NameServer {
	t.Helper()
	return ServeNamesAt(t, "127.0.0.1:0", records)
}

// ServeNamesAt is ServeNames at an address.
func ServeNamesAt(t *testing.T, address string, records map[string][]string) *NameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	n := &NameServer{records: records}
	n.Resolver = &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "udp", conn.LocalAddr().String())
		},
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 4096)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply, err := n.reply(buf[:size]); err != nil {
				t.Errorf("name server: %v", err)
			} else {
				conn.WriteTo(reply, from)
			}
		}
	})
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	return n
}

// Move has each lookup answered by the next address alone.
func (n *NameServer) Move() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.moving = true
}

func (n *NameServer) reply(query []byte) ([]byte, error) {
	var q dnsmessage.Message
	if err := q.Unpack(query); err != nil {
		return nil, err
	}
	question := q.Questions[0]
	r := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID:                 q.ID,
			Response:           true,
			Authoritative:      true,
			RecursionAvailable: true,
		},
		Questions: q.Questions,
	}
	addresses, known := n.lookup(strings.ToLower(question.Name.String()), question.Type)
	if !known {
		r.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range addresses {
		header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET}
		ip := net.ParseIP(a)
		switch is4 := !strings.Contains(a, ":"); {
		case is4 && question.Type == dnsmessage.TypeA:
			r.Answers = append(
				r.Answers,
				dnsmessage.Resource{
					Header: header,
					Body:   &dnsmessage.AResource{A: [4]byte(ip.To4())},
				},
			)
		case !is4 && question.Type == dnsmessage.TypeAAAA:
			r.Answers = append(
				r.Answers,
				dnsmessage.Resource{
					Header: header,
					Body:   &dnsmessage.AAAAResource{AAAA: [16]byte(ip.To16())},
				},
			)
		}
	}
	return r.Pack()
}

func (n *NameServer) lookup(name string, kind dnsmessage.Type) (addresses []string, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	addresses, known = n.records[name]
	if n.moving && len(addresses) > 0 {
		if kind != dnsmessage.TypeA {
			return nil, true
		}
		addresses = addresses[n.lookups%len(addresses):][:1]
		n.lookups++
	}
	return addresses, known
}
