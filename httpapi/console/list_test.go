package console_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// When each webhook of a list had its last delivery takes one look at the deliveries, and one more
// for a webhook whose last is not among the newest.
func TestListLooksAtDeliveriesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sparse{Store: memstore.New()}
		h := newHostOn(t, s, nil, nil)
		ids := make(map[string]string)
		names := []string{"picky", "late", "healthy", "good", "active"}
		for i, name := range names {
			ids[name] = h.typed(name, 200).ID
			h.send(name, 0, 1)
			if i == 0 {
				pass(24 * time.Hour)
			}
			pass(time.Hour)
		}
		bad := h.typed("bad", 500)
		h.send("bad", 0, 2)
		h.typed("new", 200)
		theirs, err := h.d.Subscribe(t.Context(), store.Subscription{Tenant: "globex",
			URL: "https://good.example/in"})
		if err == nil {
			err = h.d.Publish(t.Context(), testEvent("globex", "order-1"))
		}
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		look := func(customer, operator int32, times map[string]string) {
			t.Helper()
			for who, want := range map[string]int32{"": customer, "1": operator} {
				s.calls.Store(0)
				list := h.must("list", "X-Tenant", "acme", "X-Operator", who)
				if got := s.calls.Load(); got != want {
					t.Errorf("got %d looks at deliveries, want %d", got, want)
				}
				for name, ago := range times {
					row := between(list, `href="webhook?id=`+ids[name]+`"`, "</tr>")
					if !strings.Contains(row, ">"+ago+"<") {
						t.Errorf("%s: got %s, want %s", name, row, ago)
					}
				}
				if row := between(list, theirs.ID, "</tr>"); who != "" && !strings.Contains(row, " s ago<") {
					t.Errorf("another tenant's: got %s, want when the last attempt was", row)
				}
				if row := between(list, bad.ID, "</tr>"); !strings.Contains(row, "failed") {
					t.Errorf("got %s, want that the last attempt failed", row)
				}
			}
		}
		look(1, 1, map[string]string{"picky": "29 h ago", "late": "4 h ago", "healthy": "3 h ago",
			"good": "2 h ago", "active": "1 h ago"})
		h.send("active", 1, 98) // with which those of the two oldest are not among the newest 100
		look(3, 4, map[string]string{"picky": "29 h ago", "late": "4 h ago", "healthy": "3 h ago",
			"good": "2 h ago", "active": "now"}) // an operator's list has one more
	})
}
