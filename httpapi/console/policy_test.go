package console_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// The page of a webhook has what of its policy is not as usual, and no more.
func TestPolicyOnThePage(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{
		MaxTimeout: time.Minute,
		Backoff:    dispatcher.Backoff{MaxAttempts: dispatcher.DefaultMaxAttempts},
		Policy: func(sub store.Subscription) dispatcher.Policy {
			switch sub.Name {
			case "own":
				return dispatcher.Policy{
					Timeout: 45 * time.Second, Rate: 0.5, Burst: 3, PerSubscription: 2, Method: "PUT",
					ContentType: "text/plain",
					Backoff: dispatcher.Backoff{Initial: time.Second / 2, Max: time.Hour,
						MaxAttempts: 5},
				}
			case "broken":
				panic(errors.New("a bug"))
			}
			return dispatcher.Policy{}
		},
	})
	page := func(name string, headers ...string) answer {
		sub, err := h.d.Subscribe(t.Context(), store.Subscription{
			Tenant: "acme", Name: name, URL: "https://endpoint.example/" + name})
		if err != nil {
			t.Fatal(err)
		}
		return h.do("GET", "webhook?id="+sub.ID, nil, append([]string{"X-Tenant", "acme"}, headers...)...)
	}
	all := []string{
		"<dt>Timeout</dt><dd>45 s</dd>", "<dt>Attempts</dt><dd>5 at most</dd>",
		"<dt>Retries</dt><dd>after 0.5 s, up to 1 h apart</dd>", "<dt>Rate</dt><dd>one in 2 s</dd>",
		"<dt>At once after a pause</dt><dd>3</dd>", "<dt>Attempts at once</dt><dd>2 at most</dd>",
		"<dt>Method</dt><dd>PUT</dd>", "<dt>Content type</dt><dd>text/plain</dd>",
	}
	own, usual := page("own"), page("usual")
	for _, fact := range all {
		name, _, _ := strings.Cut(fact, "</dt>")
		if !own.shows(fact) {
			t.Errorf("%s is not on the page %s", fact, own.body)
		}
		if usual.shows(name + "</dt>") {
			t.Errorf("%s is on the page of a usual one", name)
		}
	}
	const broken = "<dt>Policy</dt>"
	if page("broken").shows(broken) || !page("broken", "X-Operator", "1").shows(broken) {
		t.Error("that a policy can't be used is for the operator to see, and nobody else")
	}
}

// Owners set what the host lets them, within its bounds, and find what is wrong at the field.
func TestPolicyInTheForm(t *testing.T) {
	for _, may := range []dispatcher.OwnerBounds{
		{}, {Timeout: time.Minute}, {Rate: 10}, {Timeout: time.Minute, Rate: 10},
	} {
		h := newHost(t, nil, &dispatcher.Options{OwnerMay: may})
		sub, err := h.d.Subscribe(t.Context(),
			store.Subscription{Tenant: "acme", URL: "https://endpoint.example/"})
		if err != nil {
			t.Fatal(err)
		}
		get := func() answer { return h.do("GET", "edit?id="+sub.ID, nil, "X-Tenant", "acme") }
		save := func(timeout, rate string) answer {
			form := formOf(t, get().body, "edit")
			form.Set("timeout", timeout)
			form.Set("rate", rate)
			return h.do("POST", "edit", form, "X-Tenant", "acme", "Origin", "https://host.example")
		}
		stored := func() store.Subscription {
			t.Helper()
			now, err := h.d.Subscription(t.Context(), sub.ID)
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		if p := get(); p.shows(`id="timeout"`) != (may.Timeout != 0) ||
			p.shows(`id="rate"`) != (may.Rate != 0) {
			t.Errorf("%+v: the form has other fields: %s", may, p.body)
		}
		want := store.Subscription{}
		if may.Timeout != 0 {
			want.Timeout = 2500 * time.Millisecond
		}
		if may.Rate != 0 {
			want.Rate = 0.5
		}
		if a := save("2.5", " 0,5 "); a.StatusCode != 303 {
			t.Errorf("%+v: saving has answered %d: %s", may, a.StatusCode, a.body)
		}
		if now := stored(); now.Timeout != want.Timeout || now.Rate != want.Rate {
			t.Errorf("%+v: stored %v and %v, want %v and %v", may, now.Timeout, now.Rate, want.Timeout,
				want.Rate)
		}
		if may.Timeout != 0 && may.Rate != 0 {
			if p := get(); !p.shows(`name="timeout" value="2.5"`) || !p.shows(`name="rate" value="0.5"`) {
				t.Errorf("the form does not have what is stored: %s", p.body)
			}
			for _, tt := range []struct{ timeout, rate, want string }{
				{"61", "1", "The timeout is 61; give 0.1 to 60."},
				{"soon", "1", "This is no number above zero."},
				{"1", "11", "The rate is 11; give 0.001 to 10 attempts a second."},
				{"1", "-1", "This is no number above zero."},
				{"1", "NaN", "This is no number above zero."},
			} {
				a := save(tt.timeout, tt.rate)
				if a.StatusCode != 422 || !a.shows(tt.want) || !a.shows(`value="`+tt.timeout+`"`) {
					t.Errorf("%s and %s: answered %d, want 422 with %q: %s", tt.timeout, tt.rate,
						a.StatusCode, tt.want, a.body)
				}
			}
		}
		save("", "")
		if now := stored(); now.Timeout != 0 || now.Rate != 0 {
			t.Errorf("%+v: emptied, it has %v and %v", may, now.Timeout, now.Rate)
		}
	}
}
