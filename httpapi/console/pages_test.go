package console_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// A page refreshes if somebody asks for it, and never by itself; one that does not change offers
// nothing.
func TestLiveIsAskedFor(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	for page, changes := range map[string]bool{
		"list?": true, "deliveries?state=delivered&": true, "webhook?id=" + sub.ID + "&": true,
		"delivery?id=" + sub.ID + "&event=order-1&": true, "event?id=order-1&": true,
		"types?": false, "new?": false, "rotate?id=" + sub.ID + "&": false,
	} {
		for live, want := range map[string]string{"": "", "live=5": `data-live="5"`, "live=-1": "",
			"live=x": "", "live=999999": `data-live="3600"`} {
			body := h.must(page+live, "X-Tenant", "acme")
			if got := strings.Contains(body, "data-live"); got != (changes && want != "") ||
				!strings.Contains(body, want) && changes {
				t.Errorf("%s%s: refreshes: %t, want %q", page, live, got, want)
			}
			if got := strings.Contains(body, `class="live"`); got != changes {
				t.Errorf("%s%s: offers to refresh, or to stop: %t, want %t", page, live, got, changes)
			}
		}
	}
}

// An Authorizer sends who is not logged in to the host's login, from every page and every action,
// with nothing of what there is.
func TestRedirectToLogin(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	who := func(*http.Request) (console.Access, error) {
		return console.Access{}, errors.Join(errors.New("nobody"), &console.Redirect{URL: "/login?to=x"})
	}
	mux := http.NewServeMux()
	if err := console.Mount(mux, "/admin/hooks/", h.d, who, nil); err != nil {
		t.Fatal(err)
	}
	h.handler = mux
	check := func(page string, a answer) {
		t.Helper()
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/login?to=x" ||
			a.body != "" {
			t.Errorf("%s: got %d to %s with %q, want the login and nothing else", page, a.StatusCode,
				a.Header.Get("Location"), a.body)
		}
	}
	for _, page := range append(somePages(sub.ID, "order-1"), "nothing") {
		check(page, h.get(page))
	}
	for page, form := range actions(sub.ID, "order-1") {
		check("POST "+page, h.do(http.MethodPost, page, form))
	}
}

// The host's name, environment, logo and color are on each page, and the way back to its own.
func TestHostIsShown(t *testing.T) {
	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, &console.Options{Title: "Shop & Co", Environment: "staging",
		Back: "https://shop.example/home", Accent: "#00aa00", Logo: logo.Bytes()}, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	for _, page := range somePages(sub.ID, "order-1") {
		a := h.get(page, "X-Tenant", "acme")
		_, title, _ := strings.Cut(a.body, "<title>")
		title, _, _ = strings.Cut(title, "</title>")
		if !strings.HasSuffix(title, " · Shop &amp; Co") ||
			!strings.Contains(a.body, `<span class="env">staging</span>`) ||
			!strings.Contains(a.body, `href="https://shop.example/home">Back</a>`) {
			t.Errorf("%s: got %s, want the host's name, environment and way back", page, a.body)
		}
		for _, link := range links(a.body) {
			if file, _, _ := strings.Cut(link, "?v="); file == "logo" {
				if got := h.get(link); got.body != logo.String() ||
					got.Header.Get("Content-Type") != "image/png" {
					t.Errorf("%s: got %v, want the logo", link, got.Header)
				}
			}
		}
		if !strings.Contains(a.body, `<img src="logo?v=`) {
			t.Errorf("%s has no logo", page)
		}
	}
	if css := h.must("console.css"); !strings.Contains(css, "--accent:#00aa00") {
		t.Error("the style sheet has not the host's color")
	}
}

// Where a webhook has not got an event, its page says why: the type, the filter, that it was
// subscribed later, or that it was off.
func TestWhyAWebhookDidNotGetAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, nil, nil)
		subscribe := func(name string, change func(*store.Subscription)) string {
			sub := store.Subscription{Tenant: "acme", Name: name, URL: "https://" + name + ".example/in"}
			change(&sub)
			sub, err := h.d.Subscribe(t.Context(), sub)
			if err != nil {
				t.Fatal(err)
			}
			return sub.ID
		}
		ids := map[string]string{
			"it does not get this type": subscribe("other", func(s *store.Subscription) {
				s.Events = []string{"invoice.*"}
			}),
			"its filter does not take the payload": subscribe("picky", func(s *store.Subscription) {
				s.Filter = `{"total": {"$gte": 100}}`
			}),
			"it is off": subscribe("off", func(*store.Subscription) {}),
		}
		got := subscribe("got", func(*store.Subscription) {})
		if _, err := h.d.Unsubscribe(t.Context(), ids["it is off"]); err != nil {
			t.Fatal(err)
		}
		h.publish("acme", "order-1", `{"total": 99}`)
		pass(time.Hour)
		ids["it was subscribed after the event"] = subscribe("late", func(*store.Subscription) {})
		page := h.must("event?id=order-1", "X-Tenant", "acme")
		for why, id := range ids {
			row := between(page, `href="webhook?id=`+id+`"`, "</tr>")
			if !strings.Contains(row, ">"+why+"<") {
				t.Errorf("got %s, want %q", row, why)
			}
		}
		if !strings.Contains(page, "delivery?event=order-1&amp;id="+got) {
			t.Errorf("got %s, want the delivery of the one that has got it", page)
		}
	})
}

// Of a long payload a page shows the beginning, and says so; the download has all of it.
func TestLongPayload(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	long := `{"text":"` + strings.Repeat("x", 2*show.MaxBody) + `"}`
	h.publish("acme", "order-1", long)
	for _, page := range []string{"delivery?id=" + sub.ID + "&event=order-1", "event?id=order-1"} {
		body := h.must(page, "X-Tenant", "acme")
		if n := strings.Count(body, "x"); n > 2*show.MaxBody+10_000 || n < show.MaxBody-1000 ||
			!strings.Contains(body, "Only the beginning is shown.") {
			t.Errorf("%s: got %d letters, want the first 64 KiB, formatted and raw, and that it is so", page,
				n)
		}
	}
	if file := h.must("download?id="+sub.ID+"&event=order-1", "X-Tenant", "acme"); file != long {
		t.Errorf("got %d bytes as a file, want %d", len(file), len(long))
	}
}

// bounded is a store that does not count to the end.
type bounded struct{ store.Store }

func (s bounded) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	page, err := s.Store.Deliveries(ctx, q)
	if q.Count {
		page.Total, page.TotalIsLowerBound = 100_000, true
	}
	return page, err
}

// A count that was not brought to its end is no number of all.
func TestCountIsBounded(t *testing.T) {
	h := newHostOn(t, bounded{memstore.New()}, nil, nil)
	h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	if page := h.must("deliveries?count=1", "X-Tenant", "acme"); !strings.Contains(page,
		"more than 100,000 deliveries") {
		t.Errorf("got %s, want that there are more", page)
	}
}
