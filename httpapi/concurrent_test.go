package httpapi_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// Many subscribe under one id at once: there is one webhook afterwards, and it is wholly that of
// one of them.
func TestConcurrentSubscribes(t *testing.T) {
	h := newHost(t, config{})
	const n = 50
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = fmt.Sprintf(`{"id":%q,"url":"https://e.example/%d","name":"%d","signature_key":"%d"}`,
			id1, i, i, i)
	}
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = h.post("subscribe", bodies[i]) })
	}
	wg.Wait()
	for i, a := range answers {
		if a.status != 200 {
			t.Errorf("%d: got %d %s, want 200", i, a.status, a.body)
		}
	}
	if n := len(decode[list](t, h.post("list", "")).Data); n != 1 {
		t.Errorf("got %d webhooks, want 1", n)
	}
	got := h.stored(id1)
	if len(got.Secrets) != 1 || got.Name != string(got.Secrets[0]) ||
		got.URL != "https://e.example/"+got.Name {
		t.Errorf("got %s, a mixture", normal(got))
	}
}

// Two tenants race for an id: one has it, the other gets 404.
func TestConcurrentTenants(t *testing.T) {
	for range 20 {
		h := newHost(t, config{})
		tenants := []string{"acme", "globex"}
		statuses := make(map[string]int)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, tenant := range tenants {
			wg.Go(func() {
				a := h.post("subscribe", example, "X-Tenant", tenant)
				mu.Lock()
				defer mu.Unlock()
				statuses[tenant] = a.status
			})
		}
		wg.Wait()
		owner := h.stored(id1).Tenant
		for _, tenant := range tenants {
			want := 404
			if tenant == owner {
				want = 200
			}
			if statuses[tenant] != want {
				t.Errorf("%s, where %s has it: got %d, want %d", tenant, owner, statuses[tenant], want)
			}
		}
	}
}

// A hundred clients whose bodies don't come hold up nobody.
func TestSlowClients(t *testing.T) {
	h := newHost(t, everything())
	conns := make([]net.Conn, 100)
	for i := range conns {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn,
			"POST /webhooks.subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
				"Content-Length: 1000\r\n\r\n{\"id\":%q,", id1)
		conns[i] = conn
	}
	// Each of these would wait for ever if it waited for one of the hundred.
	for _, endpoint := range endpoints {
		h.prepare()
		if a := h.post(endpoint, valid(endpoint)); a.status != 200 {
			t.Errorf("%s: got %d %s, want 200", endpoint, a.status, a.body)
		}
	}
}
