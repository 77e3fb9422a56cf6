package httpapi_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
)

// small is a quota that all that a test does first fits in, and no more.
var small = dispatcher.Quota{
	Subscriptions:     1,
	SubscriptionBytes: 150,
	PingsPerMinute:    2,
	ReplaysPerMinute:  2,
}

// TestQuotas uses up each quota: then there is a 429 that names it and says when to try again, and
// then it is allowed again.
func TestQuotas(t *testing.T) {
	const byID = `{"id":"` + id1 + `"`
	long := strings.Repeat("x", 150)
	const bytes = "150 bytes for url, name, description, metadata, events, filter, fields, " +
		"headers and keys"
	for _, test := range []struct {
		name, endpoint, body string
		allowed              int // how often before it is used up
		names                string
		rate                 bool // it is allowed again when the time has passed
	}{
		{"webhooks", "subscribe", `{"url":"https://endpoint.example/2"}`, 0, "1 webhooks", false},
		{"bytes of a replacement", "subscribe", byID + `,"url":"https://endpoint.example/` + long +
			`"}`, 0, bytes, false},
		{"bytes of an update", "update", byID + `,"name":"` + long + `"}`, 0, bytes, false},
		{"bytes of a description", "update", byID + `,"description":"` + long + `"}`, 0, bytes, false},
		{"bytes of a key", "rotate", byID + `,"signature_key":"` + long + `"}`, 0, bytes, false},
		{"pings", "ping", byID + `}`, 2, "2 pings a minute", true},
		{"proofs", "verify", byID + `}`, 1, "2 pings a minute", true}, // prepare has asked for one
		{"redeliveries", "redeliver", valid("redeliver"), 2, "2 redeliveries and replays", true},
		{"replays", "replay", valid("replay"), 2, "2 redeliveries and replays", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := config{types: &dispatcher.Options{}}
				if test.endpoint == "verify" {
					c = everything()
					c.types.AllowPull = false // small has room for one webhook
				}
				c.types.Quota = func(string) dispatcher.Quota { return small }
				h := newDirect(t, c)
				h.prepare()
				for range test.allowed {
					if a := h.post(test.endpoint, test.body); a.status != 200 {
						t.Fatalf("got %d %s, want 200", a.status, a.body)
					}
				}
				a := h.post(test.endpoint, test.body)
				if a.status != 429 || !strings.Contains(message(t, a), test.names) {
					t.Fatalf(
						"got %d %s, want 429 with a message of %q",
						a.status,
						a.body,
						test.names,
					)
				}
				seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
				if err != nil || seconds < 1 || seconds > 60 {
					t.Fatalf(
						"got Retry-After %q, want 1 to 60 seconds",
						a.header.Get("Retry-After"),
					)
				}
				if strings.Contains(h.logged.String(), "level=ERROR") {
					t.Errorf("it was logged: %s", h.logged)
				}
				if !test.rate {
					return
				}
				<-time.After(time.Duration(seconds) * time.Second)
				if a := h.post(test.endpoint, test.body); a.status != 200 {
					t.Errorf("after %d s: got %d %s, want 200", seconds, a.status, a.body)
				}
			})
		})
	}
}

// TestQuotaOfPingsOfAWebhook shows that one webhook gets a ping a second, whatever its tenant may.
func TestQuotaOfPingsOfAWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newDirect(t, config{})
		h.prepare()
		statuses := make(map[int]int)
		for range 20 {
			a := h.post("ping", valid("ping"))
			statuses[a.status]++
			if a.status == 429 &&
				(a.header.Get("Retry-After") != "1" ||
					!strings.Contains(message(t, a), "a ping a second")) {
				t.Fatalf(
					"got %q %s, want Retry-After 1 and what the quota is",
					a.header.Get("Retry-After"),
					a.body,
				)
			}
		}
		if statuses[200] != 5 || statuses[429] != 15 {
			t.Errorf("got %v, want 5 pings at once", statuses)
		}
	})
}

// TestQuotaOfPolls has as many readers wait as a tenant may have.
func TestQuotaOfPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newDirect(t, everything())
		h.prepare()
		var readers sync.WaitGroup
		for range dispatcher.MaxPolls {
			readers.Go(func() {
				a := h.post("poll", `{"id":"`+idPoll+`","wait_seconds":20}`)
				if a.status != 200 {
					t.Errorf("a reader: got %d %s, want 200", a.status, a.body)
				}
			})
		}
		synctest.Wait()
		a := h.post("poll", valid("poll"))
		if a.status != 429 || a.header.Get("Retry-After") != "1" ||
			!strings.Contains(message(t, a), strconv.Itoa(dispatcher.MaxPolls)+" polls") {
			t.Errorf("one more: got %d %s, want 429 that names the quota", a.status, a.body)
		}
		readers.Wait()
		if a := h.post("poll", valid("poll")); a.status != 200 {
			t.Errorf("when they have gone: got %d %s, want 200", a.status, a.body)
		}
	})
}

// TestQuotaOfAnotherTenant shows that what one tenant has used up, another has not.
func TestQuotaOfAnotherTenant(t *testing.T) {
	h := newHost(
		t,
		config{types: &dispatcher.Options{Quota: func(string) dispatcher.Quota { return small }}},
	)
	body := `{"url":"https://endpoint.example/"}`
	for _, tenant := range []string{"one", "two"} {
		for i, want := range []int{200, 429, 429} {
			if a := h.post("subscribe", body, "X-Tenant", tenant); a.status != want {
				t.Errorf("%s, webhook %d: got %d %s, want %d", tenant, i+1, a.status, a.body, want)
			}
		}
	}
}
