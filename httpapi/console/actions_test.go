package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/apitest"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// A first webhook, as somebody without JavaScript adds it: mistakes stand beside their fields, the
// key is shown once, a test arrives with a signature by it.
func TestAddWebhook(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{EventTypes: []events.Type{
		{Name: "order.created"}, {Name: "order.paid"}, {Name: "user.created"},
	}})
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	if a := b.get(""); !strings.Contains(a.body, "Add the first webhook") {
		t.Errorf("got %s, want a way to add the first", a.body)
	}
	form := url.Values{
		"url": {"http://127.0.0.1/in"}, "name": {"My <shop>"}, "type": {"order.created"},
		"patterns": {"user.*\r\n"}, "hn": {"Authorization", "", ""}, "hv": {"secret-token", "", ""},
		"ho": {"", "", ""},
	}
	a := b.post("new", form)
	if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, `id="url-error"`) ||
		!strings.Contains(a.body, `value="My &lt;shop&gt;"`) ||
		!strings.Contains(a.body, `value="order.created" checked`) ||
		!strings.Contains(a.body, "user.*</textarea>") {
		t.Errorf("got %d %s, want 422, the error beside the URL and what was entered", a.StatusCode,
			a.body)
	}
	form.Set("url", "https://shop.example/in")
	form.Set("patterns", "nothing.*")
	if a := b.post("new", form); a.StatusCode != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, `id="events-error"`) {
		t.Errorf("got %d %s, want 422 and the error beside the types", a.StatusCode, a.body)
	}
	form.Set("patterns", "user.*")
	form["hn"][1], form["hv"][1] = "Host", "evil"
	if a := b.post("new", form); a.StatusCode != http.StatusUnprocessableEntity ||
		!strings.Contains(a.body, `id="headers-error"`) {
		t.Errorf("got %d %s, want 422 and the error beside the headers", a.StatusCode, a.body)
	}
	form["hn"][1], form["hv"][1] = "", ""
	a = b.post("new", form)
	page, err := h.d.Subscriptions(t.Context(), store.SubscriptionQuery{Tenant: "acme"})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("got %v, %v, want one webhook", page.Items, err)
	}
	sub := page.Items[0]
	if sub.Name != "My <shop>" || strings.Join(sub.Events, " ") != "order.created user.*" ||
		sub.Headers["Authorization"] != "secret-token" || len(sub.Secrets) != 1 {
		t.Errorf("got %+v, want what was entered", sub)
	}
	if a.StatusCode != 200 || !a.shows(string(sub.Secrets[0])) {
		t.Errorf("got %d %s, want the page of the key", a.StatusCode, a.body)
	}
	if again := b.get("key?id=" + sub.ID); again.shows(string(sub.Secrets[0])) {
		t.Error("the key is shown a second time")
	}
	a = b.post("test", url.Values{"id": {sub.ID}})
	if !strings.Contains(a.body, "Test succeeded: 200") {
		t.Errorf("got %s, want the result of the test", a.body)
	}
	got := h.r.Next()
	if err := (signing.Verifier{Keys: sub.Secrets}).Verify(got.Header, got.Body); err != nil ||
		got.Type != dispatcher.TypePing {
		t.Errorf("got %s, %v, want a signed ping", got.Type, err)
	}
	if a := b.get("webhook?id=" + sub.ID); strings.Contains(a.body, "Test succeeded") {
		t.Error("the result of the test is shown again")
	}
}

// tenantOf is the host's handler for a browser of a tenant's.
func tenantOf(h *host, tenant string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Tenant", tenant)
		h.handler.ServeHTTP(w, r)
	})
}

// A proof of having made a key shows that key alone, and not one that another browser has made.
func TestKeyIsShownOnce(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	rotate := func(overlap string) url.Values {
		form := formOf(t, h.must("rotate?id="+sub.ID, "X-Tenant", "acme"), "rotate")
		form.Set("overlap", overlap)
		return form
	}
	form := rotate("24")
	first := b.post("rotate", form)
	if a := b.post("rotate", form); a.StatusCode != http.StatusConflict {
		t.Errorf("the same form again: got %d, want 409", a.StatusCode)
	}
	now, err := h.d.Subscription(t.Context(), sub.ID)
	if err != nil || len(now.Secrets) != 2 {
		t.Fatalf("got %v, %v, want two keys", now.Secrets, err)
	}
	if !first.shows(string(now.Secrets[1])) ||
		first.shows(string(now.Secrets[0])) {
		t.Errorf("got %s, want the new key alone", first.body)
	}
	if page := b.get("webhook?id=" + sub.ID); !strings.Contains(page.body, "2 keys sign at present") {
		t.Errorf("got %s, want the overlap", page.body)
	}
	// A proof for one key, kept from its page, shows no later one.
	kept := h.do(http.MethodPost, "rotate", rotate("0"), "X-Tenant", "acme").Cookies()
	if len(kept) != 1 || strings.Contains(kept[0].Value, "whsec") || !kept[0].HttpOnly {
		t.Fatalf("got the cookies %v, want one proof", kept)
	}
	if _, err := h.d.RotateSecret(t.Context(), sub.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	now, err = h.d.Subscription(t.Context(), sub.ID)
	if err != nil {
		t.Fatal(err)
	}
	old := h.get("key?id="+sub.ID, "X-Tenant", "acme", "Cookie", kept[0].Name+"="+kept[0].Value)
	if old.StatusCode != 200 || old.shows(string(now.Secrets[0])) {
		t.Error("a proof for an older key shows a newer one")
	}
	if a := b.post("rotate", url.Values{"id": {sub.ID}, "overlap": {"-1"}}); a.StatusCode != 400 {
		t.Errorf("an overlap of -1 hours: got %d, want 400", a.StatusCode)
	}
}

// Of forms that are sent at the same time, by two people or by a nervous finger, one rotates.
func TestRotateAtOnce(t *testing.T) {
	s := &apitest.Together{Store: memstore.New()}
	h := newHostOn(t, s, nil, nil)
	sub := h.subscribe("acme", "crm")
	form := formOf(t, h.must("rotate?id="+sub.ID, "X-Tenant", "acme"), "rotate")
	form.Set("overlap", "24")
	statuses := make([]int, 6) // fewer than the keys that may sign at once
	s.AtOnce(len(statuses), func(i int) {
		statuses[i] = h.do(http.MethodPost, "rotate", form, "X-Tenant", "acme").StatusCode
	})
	slices.Sort(statuses)
	now, err := h.d.Subscription(t.Context(), sub.ID)
	if err != nil || len(now.Secrets) != 2 || statuses[0] != http.StatusSeeOther ||
		statuses[1] != http.StatusConflict {
		t.Errorf("got %d keys, %v, and %v; want one new key, and 409 for the others",
			len(now.Secrets), err, statuses)
	}
}

func TestEditWebhook(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	form := url.Values{
		"id": {sub.ID}, "url": {sub.URL}, "name": {"renamed"}, "patterns": {"order.created"},
		"ho": {"X-Token", ""}, "hn": {"X-Token", "X-More"}, "hv": {"", "more"},
	}
	if got, want := h.post("edit", form, "X-Tenant", "acme"),
		"webhook?done=saved&id="+sub.ID; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	now, err := h.d.Subscription(t.Context(), sub.ID)
	if err != nil || now.Name != "renamed" || now.Headers["X-Token"] != "canary-header" ||
		now.Headers["X-More"] != "more" || len(now.Events) != 1 || len(now.Secrets) != 1 ||
		now.Secrets[0] != sub.Secrets[0] {
		t.Errorf("got %+v, %v, want the changes alone", now, err)
	}
	// A value stays with its name: under another it would go to whom its owner does not mean.
	form["hn"][0] = "X-Other"
	if a := h.do(http.MethodPost, "edit", form, "X-Tenant", "acme"); a.StatusCode != 422 ||
		!strings.Contains(a.body, "Give X-Other its value again.") {
		t.Errorf("got %d %s, want the value to be asked for", a.StatusCode, a.body)
	}
	form["hn"][0] = ""
	h.post("edit", form, "X-Tenant", "acme")
	if now, err = h.d.Subscription(t.Context(), sub.ID); err != nil || len(now.Headers) != 1 {
		t.Errorf("got %v, %v, want one header removed", now.Headers, err)
	}
}

// What goes wrong, and what to do: from a failing endpoint to its replay.
func TestRepair(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.r.Always(http.StatusGone)
	h.publish("acme", "order-1", `{}`)
	h.eventually("the webhook to be disabled", func() bool {
		now, err := h.d.Subscription(t.Context(), sub.ID)
		return err == nil && now.Disabled()
	})
	h.publish("acme", "order-2", `{}`)
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	page := b.get("webhook?id=" + sub.ID).body
	if !strings.Contains(page, "410") || !strings.Contains(page, "Enable and replay 2") {
		t.Errorf("got %s, want why it is disabled and how to go on", page)
	}
	if overview := h.must("", "X-Operator", "1"); !strings.Contains(overview, "webhook?id="+sub.ID) {
		t.Errorf("got %s, want the webhook among what needs attention", overview)
	}
	h.r.Always(http.StatusOK)
	a := b.post("enable", url.Values{"id": {sub.ID}, "then": {"replay"}})
	if !strings.Contains(a.body, "Replay 2 deliveries?") { // order-1 is dead, order-2 canceled
		t.Errorf("got %s, want the count of a replay", a.body)
	}
	b.post("replay", url.Values{"id": {sub.ID}, "state": {"missed"}})
	for _, event := range []string{"order-1", "order-2"} {
		h.eventually(event+" to be delivered", func() bool {
			return strings.Contains(b.get("delivery?id="+sub.ID+"&event="+event).body, "delivered")
		})
	}
	b.post("redeliver", url.Values{"id": {sub.ID}, "event": {"order-1"}})
	h.eventually("order-1 to be delivered", func() bool {
		return strings.Contains(b.get("deliveries?state=delivered").body, "order-1")
	})
	for range 2 { // a second time changes nothing
		b.post("disable", url.Values{"id": {sub.ID}})
	}
	a = b.post("redeliver", url.Values{"id": {sub.ID}, "event": {"order-1"}})
	if a.StatusCode != http.StatusConflict {
		t.Errorf("redeliver to a webhook that is off: got %d, want 409", a.StatusCode)
	}
}

func TestRedeliverSelected(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	for _, id := range []string{"order-1", "order-2", "order-3"} {
		h.publish("acme", id, `{}`)
	}
	got := h.post("redeliver", url.Values{"many": {"1"}, "state": {"delivered"},
		"d": {sub.ID + "/order-1", sub.ID + "/order-3"}}, "X-Tenant", "acme")
	if got != "deliveries?state=delivered&done=redeliver" {
		t.Errorf("got %s, want the list it came from", got)
	}
	h.eventually("two deliveries to be made again", func() bool {
		n := 0
		for _, id := range []string{"order-1", "order-2", "order-3"} {
			attempts, err := h.d.Attempts(t.Context(), sub.ID, id)
			if err != nil {
				t.Fatal(err)
			}
			n += len(attempts)
		}
		return n == 5
	})
	if got := h.post("redeliver", url.Values{"many": {"1"}},
		"X-Tenant", "acme"); got != "deliveries?done=nothing" {
		t.Errorf("nothing is selected: got %s", got)
	}
	many := url.Values{"many": {"1"}}
	for range 51 {
		many.Add("d", sub.ID+"/order-1")
	}
	if a := h.do(http.MethodPost, "redeliver", many, "X-Tenant", "acme"); a.StatusCode != 400 {
		t.Errorf("51 are selected: got %d, want 400", a.StatusCode)
	}
}

// A paused webhook keeps what is published, and says so.
func TestPause(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	form := url.Values{"id": {sub.ID}}
	to := h.post("pause", form, "X-Tenant", "acme")
	if err := h.d.Publish(t.Context(), events.Event{ID: "order-1", Type: "order.created",
		Tenant: "acme", Time: time.Now(), Payload: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	body := h.must(to, "X-Tenant", "acme")
	if !strings.Contains(body, "1 delivery so far") || !strings.Contains(body, ">Resume<") {
		t.Errorf("got %s, want what has collected and a way to go on", body)
	}
	if !strings.Contains(h.must("list?state=paused", "X-Tenant", "acme"), sub.ID) ||
		strings.Contains(h.must("list?state=active", "X-Tenant", "acme"), sub.ID) {
		t.Error("the filter by state does not tell it from others")
	}
	h.post("resume", form, "X-Tenant", "acme")
	h.eventually("order-1 to be delivered", func() bool {
		return strings.Contains(h.must("deliveries?state=delivered", "X-Tenant", "acme"), "order-1")
	})
}

// Who did it reaches the Observer.
func TestActor(t *testing.T) {
	var did []dispatcher.Action
	h := newHost(t, nil, &dispatcher.Options{Observer: &dispatcher.Observer{
		OnAction: func(a dispatcher.Action) { did = append(did, a) },
	}})
	sub := h.subscribe("acme", "crm")
	h.post("pause", url.Values{"id": {sub.ID}}, "X-Tenant", "acme")
	if n := len(did); n == 0 || did[n-1].Actor != "grace" || did[n-1].Kind != dispatcher.ActionPause {
		t.Errorf("got %+v, want a pause by grace", did)
	}
}

func TestListFilters(t *testing.T) {
	h := newHost(t, nil, nil)
	crm, erp := h.subscribe("acme", "crm"), h.subscribe("acme", "erp")
	if _, err := h.d.Update(t.Context(), crm.ID, func(s *store.Subscription) error {
		s.Description = "asked for by Ada"
		s.Metadata = map[string]string{"team": "billing", "region": "e u"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][2]bool{
		"text=by+ada": {true, false}, "label=team+%3D+billing": {true, false},
		"label=team%3Dbilling": {true, false}, "label=region%3De+u": {true, false},
		"label=team%3D": {false, false}, "label=team%3DBilling": {false, false},
		"label=team%3Dbilling&text=erp": {false, false}, "label=": {true, true},
		"label=team": {true, true}, "label=a+b%3Dc": {true, true}, // and they say that it is none
		"text=CRM": {true, false}, "text=.example": {true, true}, "text=canary": {false, false},
		"type=order.created": {true, true}, "state=unsubscribed": {false, false},
		"state=x": {true, true},
	} {
		body := h.must("list?"+query, "X-Tenant", "acme")
		if got := [2]bool{strings.Contains(body, crm.ID), strings.Contains(body, erp.ID)}; got != want {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
		wrong := query == "label=team" || query == "label=a+b%3Dc"
		if says := strings.Contains(body, "This is no label."); says != wrong {
			t.Errorf("%s: says that it is no label: %v, want %v", query, says, wrong)
		}
	}
	if page := h.must("list?label=team+%3D+billing", "X-Tenant", "acme"); !keeps(page, "label",
		"team = billing") {
		t.Errorf("the form has not kept the label: %s", page)
	}
}

func TestErase(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	form := url.Values{"id": {sub.ID}, "event": {"order-1"}}
	to := h.post("erase", form, "X-Tenant", "acme")
	if body := h.must(to, "X-Tenant", "acme"); !strings.Contains(body, "was erased") {
		t.Errorf("got %s, want that it was erased", body)
	}
	if a := h.do(http.MethodPost, "redeliver", form, "X-Tenant", "acme"); a.StatusCode != 409 {
		t.Errorf("redeliver it: got %d, want 409", a.StatusCode)
	}
}

// A replay of everything is nobody's wish; a filter that can't be read replays nothing.
func TestReplayIsBounded(t *testing.T) {
	h := newHost(t, nil, nil)
	h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	for _, form := range []url.Values{
		{}, {"state": {"nonsense"}}, {"type": {"no type!"}}, {"since": {"yesterday"}},
		{"state": {"dead"}, "last": {"2h"}}, {"state": {"dead"}, "since": {"2026-01-02 00:00"}},
		{"since": {"2026-01-02T00:00"}, "until": {"2026-01-01T00:00"}},
	} {
		for _, who := range [][]string{{"X-Tenant", "acme"}, {"X-Operator", "1"}} {
			a := h.do(http.MethodPost, "replay", form, who...)
			if a.StatusCode != http.StatusBadRequest {
				t.Errorf("%v %q: got %d, want 400", form, who, a.StatusCode)
			}
			if a := h.get("replay?"+form.Encode(), who...); a.StatusCode != http.StatusBadRequest {
				t.Errorf("GET %v %q: got %d, want 400", form, who, a.StatusCode)
			}
		}
	}
}

func TestQuotaPage(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{Quota: func(string) dispatcher.Quota {
		return dispatcher.Quota{Subscriptions: 1, ReplaysPerMinute: 1}
	}})
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	a := h.do(http.MethodPost, "new", url.Values{"url": {"https://b.example/"}}, "X-Tenant", "acme")
	if a.StatusCode != 429 || !strings.Contains(a.body, "The bound of 1 webhooks is reached.") ||
		formOf(t, a.body, "new").Get("url") != "https://b.example/" {
		t.Errorf("got %d %s, want 429 and the bound", a.StatusCode, a.body)
	}
	form := url.Values{"id": {sub.ID}, "event": {"order-1"}}
	h.post("redeliver", form, "X-Tenant", "acme")
	a = h.do(http.MethodPost, "redeliver", form, "X-Tenant", "acme")
	if a.StatusCode != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("got %d, want 429 with Retry-After", a.StatusCode)
	}
}
