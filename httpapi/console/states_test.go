package console_test

import (
	"fmt"
	"html"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// typed makes a webhook of acme that gets a type of its own, and answers with a status.
func (h *host) typed(name string, status int) store.Subscription {
	h.t.Helper()
	url := "https://" + name + ".example/in"
	h.r.At(url).Always(status)
	sub, err := h.d.Subscribe(h.t.Context(), store.Subscription{
		Tenant: "acme", Name: name, URL: url, Events: []string{name + ".happened"},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return sub
}

// send publishes the events of these numbers for a webhook of typed, and waits for their first
// attempts.
func (h *host) send(name string, from, to int) {
	h.t.Helper()
	for i := from; i < to; i++ {
		e := testEvent("acme", fmt.Sprintf("%s-%d", name, i))
		e.Type = name + ".happened"
		if err := h.d.Publish(h.t.Context(), e); err != nil {
			h.t.Fatal(err)
		}
	}
	pass(100 * time.Millisecond) // until what came back is recorded
}

// everyState makes a webhook in each state, and returns their IDs by the words for the states.
func everyState(t *testing.T, h *host, s store.Store) map[string]string {
	ids := make(map[string]string)
	for name, status := range map[string]int{"active": 200, "new": 200, "failing": 500, "down": 500,
		"throttled": 429, "paused": 200, "disabled": 410, "unsubscribed": 200} {
		ids[name] = h.typed(name, status).ID
	}
	h.send("active", 0, 3)
	h.send("failing", 0, 3)
	h.send("down", 0, dispatcher.BreakerThreshold+1)
	h.send("throttled", 0, 1)
	h.send("disabled", 0, 1)
	h.send("disabled", 1, 3)
	if _, err := h.d.Pause(t.Context(), ids["paused"]); err != nil {
		t.Fatal(err)
	}
	if _, err := h.d.Unsubscribe(t.Context(), ids["unsubscribed"]); err != nil {
		t.Fatal(err)
	}
	h.send("paused", 0, 2)
	sealed, err := s.CreateSubscription(t.Context(), store.Subscription{
		ID: uuid.NewString(), Tenant: "acme", Name: "unreadable", URL: "https://u.example/",
		Events: []string{"none"}, Status: store.Subscribed, SealedWith: "lost-key",
	})
	if err != nil {
		t.Fatal(err)
	}
	ids["unreadable"] = sealed.ID
	return ids
}

// The list has each state as an icon, a word and more, and can be filtered by it.
func TestListStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		h := newHostOn(t, s, nil, nil)
		ids := everyState(t, h, s)
		list := h.must("list", "X-Tenant", "acme")
		for name, want := range map[string]struct{ icon, word, detail string }{
			"active":       {"ok", "active", ""},
			"new":          {"new", "new", "nothing sent yet"},
			"failing":      {"warn", "failing", "3 in a row"},
			"down":         {"bad", "failing", "in a row, next try <time "},
			"throttled":    {"warn", "throttled", "next try <time "},
			"paused":       {"off", "paused", "by its owner"},
			"disabled":     {"bad", "disabled", "410"},
			"unsubscribed": {"off", "unsubscribed", "by its owner"},
			"unreadable":   {"bad", "unreadable", "its key is missing here"},
		} {
			row := between(list, `href="webhook?id=`+ids[name]+`"`, "</a>")
			if !strings.Contains(row, `"#i-`+want.icon+`"`) ||
				!strings.Contains(row, "<b>"+want.word+"</b>") || !strings.Contains(row, want.detail) {
				t.Errorf("%s: got %s, want %+v", name, row, want)
			}
			filtered := h.must("list?state="+want.word, "X-Tenant", "acme")
			for other, id := range ids {
				same := other == name || want.word == "failing" && (other == "down" || other == "failing")
				if got := strings.Contains(filtered, id); got != same {
					t.Errorf("state=%s: has %s: %t, want %t", want.word, other, got, same)
				}
			}
			if !strings.Contains(filtered, "<option selected>"+want.word+"</option>") {
				t.Errorf("state=%s: the form has not kept it", want.word)
			}
		}
	})
}

// The list has bars of the last day, what is pending since when, and how the last attempt went.
func TestListFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, nil, nil)
		ids := map[string]string{"good": h.typed("good", 200).ID, "bad": h.typed("bad", 500).ID}
		h.send("good", 0, 3)
		pass(2 * time.Hour)
		h.send("bad", 0, 2)
		pass(3 * time.Minute)
		list := h.must("list", "X-Tenant", "acme")
		for name, want := range map[string][]string{
			"good": {"100 % of 3 attempts succeeded; 3 at most in an hour", `<path class="ok"`, ">2 h ago<",
				`<span class="no">0</span>`},
			"bad": {"0 % of 2 attempts succeeded; 2 at most in an hour", `<path class="bad"`, "failed",
				">3 min ago<", "<span>2</span>"},
		} {
			row := between(list, `href="webhook?id=`+ids[name]+`"`, "</tr>")
			for _, text := range want {
				if !strings.Contains(row, text) {
					t.Errorf("%s: got %s, want %q in it", name, row, text)
				}
			}
		}
	})
}

// pass lets time pass in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// between returns the text from one to the next other.
func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// The page of a webhook says what is going on with it, and has what can be done about it for those
// who may.
func TestBars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		h := newHostOn(t, s, nil, nil)
		ids := everyState(t, h, s)
		signed := h.subscribe("acme", "signed")
		if _, err := h.d.RotateSecret(t.Context(), signed.ID, "", time.Hour); err != nil {
			t.Fatal(err)
		}
		ids["signed"] = signed.ID
		for name, want := range map[string]struct{ says, remedy string }{
			"down":         {"failures in a row, last: ", "Probe now"},
			"failing":      {"3 failures in a row, last: ", ""},
			"throttled":    {"The endpoint asks us to slow down; next attempt", "Test it now"},
			"paused":       {"2 deliveries so far.", "Resume"},
			"disabled":     {"wait to be replayed.", "Enable and replay 3"},
			"unsubscribed": {"are not kept for it.", "Enable"},
			"unreadable":   {"can't be read, so nothing is sent.", "Delete"},
			"new":          {"Its deliveries are not signed.", "Make a key"},
			"signed":       {"2 keys sign at present; the old one ends <time", ""},
		} {
			page := "webhook?id=" + ids[name]
			bars := html.UnescapeString(between(h.must(page, "X-Tenant", "acme"), "data-swap", "<dl"))
			if !strings.Contains(bars, want.says) || !strings.Contains(bars, ">"+want.remedy+"</") {
				t.Errorf("%s: got %s, want %+v", name, bars, want)
			}
			look := h.must(page, "X-Tenant", "acme", "X-Look", "1")
			look = html.UnescapeString(between(look, "data-swap", "<dl"))
			if !strings.Contains(look, want.says) || strings.Contains(look, "<button") ||
				strings.Contains(look, "href=\"rotate") || strings.Contains(look, "href=\"delete") {
				t.Errorf("%s: who may only look gets %s", name, look)
			}
		}
		if page := h.must("webhook?id="+ids["active"], "X-Tenant", "acme"); strings.Contains(
			between(page, "data-swap", "<dl"), `"note bad"`) {
			t.Errorf("a webhook that works: got %s", page)
		}
		// The first key has none before it that could go on signing.
		ask := h.must("rotate?id="+ids["new"], "X-Tenant", "acme")
		if strings.Contains(ask, "The old key") {
			t.Errorf("got %s, want nothing of an old key", ask)
		}
		if to := h.post("rotate", formOf(t, ask, "rotate"), "X-Tenant", "acme"); !strings.HasPrefix(to,
			"key?") {
			t.Errorf("got %s, want the page that shows the key", to)
		}
		operator := h.must("webhook?id="+ids["unreadable"], "X-Operator", "1")
		customer := h.must("webhook?id="+ids["unreadable"], "X-Tenant", "acme")
		if !strings.Contains(operator, "lost-key") || strings.Contains(customer, "lost-key") {
			t.Error("the operator, and no customer, is to see which key is missing")
		}
	})
}

// What needs attention comes worst first, and the figures say what they are of.
func TestOverview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		h := newHostOn(t, s, nil, &dispatcher.Options{
			Concurrency: 40, Final: func(status int) bool { return status == 422 },
		})
		h.typed("healthy", 200)
		h.typed("late", 500)
		h.typed("picky", 200)
		h.typed("down", 500)
		h.typed("gone", 410)
		h.send("healthy", 0, 30)
		h.send("late", 0, 2)
		h.send("picky", 0, 20)
		h.r.At("https://picky.example/in").Always(422)
		h.send("picky", 20, 23)
		h.send("down", 0, dispatcher.BreakerThreshold+2)
		h.send("gone", 0, 1)
		pass(6 * time.Minute)
		page := h.must("", "X-Operator", "1")
		attention := between(page, `id="attention"`, "</section>")
		at := -1
		for _, name := range []string{"gone", "down", "late", "picky"} {
			next := strings.Index(attention, "<b>"+name+"</b>")
			if next <= at {
				t.Errorf("%s is not in its place: %s", name, attention)
			}
			at = next
		}
		if strings.Contains(attention, "<b>healthy</b>") {
			t.Errorf("got %s, want nothing of what works", attention)
		}
		most := between(page, `id="busiest"`, "</section>")
		down, late := strings.Index(most, "<b>down</b>"), strings.Index(most, "<b>late</b>")
		if down < 0 || late < down {
			t.Errorf("got %s, want the most pending first", most)
		}
		figures := between(page, `class="figures"`, "</dl>")
		for _, want := range []string{"<small>of 40</small>", "half; 95 %"} {
			if !strings.Contains(figures, want) {
				t.Errorf("got %s, want %q", figures, want)
			}
		}
		if strings.Contains(page, "delivers nothing") {
			t.Error("Run is running, and the page says that it is not")
		}
	})
}

// An operator sees that the process that serves the page delivers nothing.
func TestOverviewWithoutRun(t *testing.T) {
	h := newHost(t, nil, nil)
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.mount(d)
	if page := h.must("", "X-Operator", "1"); !strings.Contains(page, "Run is not running here") {
		t.Errorf("got %s, want that nothing is delivered", page)
	}
}

// unplugged is a network that reaches nobody.
type unplugged struct{}

func (unplugged) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH}
}

// An outage of the host's own is told on the operator's first page.
func TestOverviewInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
			Transport: unplugged{}, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		h := &host{t: t}
		h.mount(d)
		h.running(d)
		for i := range 8 {
			if _, err := d.Subscribe(t.Context(), store.Subscription{Tenant: "acme",
				URL: fmt.Sprintf("https://h%d.example/", i)}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 10 {
			if err := d.Publish(t.Context(), testEvent("acme", fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
		}
		if page := h.must("", "X-Operator", "1"); !strings.Contains(page, "our own network is down") {
			t.Errorf("got %s, want the outage", page)
		}
	})
}
