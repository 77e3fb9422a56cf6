package console_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// rows are the events of the deliveries in a page, in its order.
func rows(page string) string {
	var all []string
	for _, link := range links(page) {
		if to, err := url.Parse(link); err == nil && to.Path == "delivery" {
			all = append(all, to.Query().Get("event"))
		}
	}
	return strings.Join(all, " ")
}

// Which of many deliveries are shown can be said by all that is known of them, and the form and its
// URLs keep what was said.
func TestDeliveriesFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, nil, nil)
		h.typed("good", 200)
		h.typed("bad", 503)
		h.typed("missing", 404)
		for _, of := range []string{"good", "bad", "missing"} {
			for i := range 2 {
				e := testEvent("acme", fmt.Sprintf("%s-%d", of, i))
				e.Type, e.Key = of+".happened", fmt.Sprintf("k%d", i)
				e.Tags = []string{of, "all", fmt.Sprintf("order:%d", i)}
				if err := h.d.Publish(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			pass(20 * time.Minute)
		}
		for filter, want := range map[string]string{
			"":                                   "missing-1 missing-0 bad-1 bad-0 good-1 good-0",
			"state=pending":                      "missing-1 missing-0 bad-1 bad-0",
			"class=http_status":                  "missing-1 missing-0 bad-1 bad-0",
			"class=timeout":                      "",
			"status=5xx":                         "bad-1 bad-0",
			"status=404":                         "missing-1 missing-0",
			"status=200":                         "good-1 good-0",
			"key=k1":                             "missing-1 bad-1 good-1",
			"key=k1&status=503":                  "bad-1",
			"tag=bad":                            "bad-1 bad-0",
			"tag=all&key=k1":                     "missing-1 bad-1 good-1",
			"tag=order:0":                        "missing-0 bad-0 good-0",
			"tag=order:1&state=delivered":        "good-1",
			"tag=unknown":                        "",
			"type=good.happened":                 "good-1 good-0",
			"last=15m":                           "",
			"last=1h&class=http_status":          "missing-1 missing-0 bad-1 bad-0",
			"last=24h&key=k0&state=delivered":    "good-0",
			"last=7d&key=k0&type=bad.happened":   "bad-0",
			"last=30d&status=4xx&key=k0":         "missing-0",
			"since=1999-01-01T00:00&status=2xx":  "good-1 good-0",
			"until=1999-01-01T00:00&status=2xx":  "",
			"event=bad-0&class=http_status":      "bad-0",
			"state=delivered&class=http_status":  "",
			"state=pending&last=1h&status=503":   "bad-1 bad-0",
			"state=pending&key=k1&class=timeout": "",
		} {
			page := h.must("deliveries?"+filter, "X-Tenant", "acme")
			if got := rows(page); got != want {
				t.Errorf("%s: got %s, want %s", filter, got, want)
			}
			asked, err := url.ParseQuery(filter)
			if err != nil {
				t.Fatal(err)
			}
			for name, values := range asked {
				if !keeps(page, name, values[0]) {
					t.Errorf("%s: the form has not kept %s", filter, name)
				}
				for _, link := range links(page) {
					if (strings.HasPrefix(link, "replay?") || strings.Contains(link, "count=1")) &&
						!strings.Contains(link, name+"="+url.QueryEscape(values[0])) {
						t.Errorf("%s: %s is of other deliveries", filter, link)
					}
				}
			}
		}
		for wrong, says := range map[string]string{
			"class=nonsense": "no such failure", "status=99": "no status", "status=5x": "no status",
			"last=2h": "no such span", "tag=a+b": "no tag",
		} {
			page := h.must("deliveries?"+wrong, "X-Tenant", "acme")
			if !strings.Contains(page, says) || strings.Contains(page, "Replay all that match") {
				t.Errorf("%s: got %s, want that it is wrong, and no replay", wrong, page)
			}
		}
	})
}

// keeps reports whether the form of a page has a value, chosen or entered.
func keeps(page, name, value string) bool {
	field := between(page, `name="`+name+`"`, "</div>")
	return strings.Contains(field, `value="`+value+`" selected`) ||
		strings.Contains(field, `<option selected>`+value) ||
		strings.HasPrefix(field, ` value="`+value+`"`) ||
		strings.HasPrefix(field, ` type="datetime-local" value="`+value+`"`)
}

// A delivery that waits says in the list for what, and until when.
func TestWaitInTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, nil, nil)
		h.typed("bad", 503)
		h.typed("down", 503)
		h.typed("busy", 429)
		paused := h.typed("paused", 200)
		if _, err := h.d.Pause(t.Context(), paused.ID); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"bad-0", "bad-1", "paused-0"} {
			e := testEvent("acme", id)
			e.Key = "k"
			e.Type, _, _ = strings.Cut(id, "-")
			e.Type += ".happened"
			if err := h.d.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		h.send("down", 0, dispatcher.BreakerThreshold)
		h.send("down", 10, 11)
		h.send("busy", 0, 1)
		h.send("busy", 1, 2)
		page := h.must("deliveries", "X-Tenant", "acme")
		for event, want := range map[string]string{
			"bad-0":    "<b>retry</b> <small>2 of 3 <time datetime=",
			"bad-1":    "<b>pending</b> <small>behind a key</small>",
			"paused-0": "<b>pending</b> <small>webhook paused</small>",
			"down-10":  "<b>pending</b> <small>down, next try <time datetime=",
			"busy-1":   "<b>pending</b> <small>throttled, next try <time datetime=",
		} {
			row := between(page, `href="delivery?event=`+event+"&amp;", "</tr>")
			if !strings.Contains(row, want) {
				t.Errorf("%s: got %s, want %q", event, row, want)
			}
		}
		if row := between(page, "event=bad-0&amp;", "</td>"); !strings.Contains(row, ">in ") {
			t.Errorf("got %s, want when it is tried again", row)
		}
		h.r.At("https://bad.example/in").Always(200)
		pass(3 * time.Hour)
		row := between(h.must("deliveries", "X-Tenant", "acme"), "event=bad-0&amp;", "</tr>")
		took := between(row, `data-l="Took" class="n">`, "</td>")
		if !strings.Contains(row, "<b>delivered</b>") || !strings.Contains(took, " min") &&
			!strings.Contains(took, " h") {
			t.Errorf("got %s, want how long it took", row)
		}
	})
}

// sparse is a store that finds one delivery a call, and takes its time.
type sparse struct {
	store.Store
	calls, counts atomic.Int32
}

func (s *sparse) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	s.calls.Add(1)
	if q.Count {
		s.counts.Add(1)
	}
	if q.EventType == "" {
		return s.Store.Deliveries(ctx, q)
	}
	<-time.After(100 * time.Millisecond)
	q.Limit = 1
	page, err := s.Store.Deliveries(ctx, q)
	if page.Next != "" {
		page.SearchedTo = page.Items[0].CreatedAt
	}
	return page, err
}

// A filter that reads far is asked for again and again, and stops after a while with how far it has
// come.
func TestSearchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sparse{Store: memstore.New()}
		h := newHostOn(t, s, nil, nil)
		h.typed("good", 200)
		h.send("good", 0, 7)
		s.calls.Store(0)
		page := h.must("deliveries?type=good.happened", "X-Tenant", "acme")
		if got := rows(page); got != "good-6 good-5 good-4" || s.calls.Load() != 3 {
			t.Errorf("got %s in %d calls, want three in 300 ms", got, s.calls.Load())
		}
		if !strings.Contains(page, "Searched back to <time") ||
			!strings.Contains(page, ">00:01 UTC</time>") {
			t.Errorf("got %s, want how far it has come", page)
		}
		next := ""
		for _, link := range links(page) {
			if strings.Contains(link, "cursor=") {
				next = link
			}
		}
		if got := rows(h.must(next, "X-Tenant", "acme")); got != "good-3 good-2 good-1" {
			t.Errorf("going on: got %s, want those after it", got)
		}
	})
}

// Nothing is counted unless somebody asks for it.
func TestCountsAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sparse{Store: memstore.New()}
		h := newHostOn(t, s, nil, nil)
		sub := h.typed("good", 200)
		h.send("good", 0, 3)
		for _, page := range []string{"", "list", "deliveries", "deliveries?state=delivered",
			"webhook?id=" + sub.ID, "delivery?id=" + sub.ID + "&event=good-1", "event?id=good-1"} {
			for _, who := range [][]string{{"X-Tenant", "acme"}, {"X-Operator", "1"}} {
				if h.must(page, who...); s.counts.Load() != 0 {
					t.Fatalf("%s counts deliveries", page)
				}
			}
		}
		if page := h.must("deliveries?count=1", "X-Tenant", "acme"); !strings.Contains(page,
			"3 deliveries") || s.counts.Load() != 1 {
			t.Errorf("got %s, want the count that was asked for", page)
		}
	})
}
