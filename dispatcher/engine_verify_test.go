package dispatcher_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// TestNothingFlowsBeforeTheProof has an endpoint that does not agree get events: they are kept, in
// their order, over a restart, and are delivered once it agrees. Run asks it a few times by itself,
// and then no more.
func TestNothingFlowsBeforeTheProof(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, challenged())
		e.run()
		key := signing.NewSecret()
		sub, err := e.Subscribe(t.Context(), store.Subscription{
			URL: "https://a.example/hook", Secrets: []signing.Secret{key},
		})
		if err != nil || sub.Status != store.Unverified || !sub.VerifiedAt.IsZero() {
			t.Fatalf("Subscribe: got %q, verified %v, %v; want Unverified, never", sub.Status,
				sub.VerifiedAt, err)
		}
		var want []string
		for i := range 5 {
			want = append(want, e.publish("order.created", i).ID)
		}
		pass(24 * time.Hour)
		if asked, others := e.asked(sub.URL); asked != 4 || others != 0 {
			t.Errorf("it was asked %d times and got %d events, want 4 times and none", asked, others)
		}
		first := e.seen(sub.URL)[0]
		if err := (signing.Verifier{Keys: []signing.Secret{key}, Tolerance: 48 * time.Hour}).Verify(
			first.Header, []byte(first.Body)); err != nil {
			t.Errorf("the challenge does not verify: %v", err)
		}
		var own struct {
			Payload struct{ ID, Challenge string }
		}
		if err := json.Unmarshal([]byte(first.Body), &own); err != nil || own.Payload.ID != sub.ID ||
			len(own.Payload.Challenge) < 20 {
			t.Errorf("the challenge is %s, %v", first.Body, err)
		}
		e.stop()
		e.restart(challenged())
		e.run()
		pass(time.Hour)
		for _, d := range e.deliveries() {
			if d.State != store.Pending || d.Wait != store.WaitUnverified {
				t.Errorf("a delivery is %s and waits for %q, want pending, unverified", d.State, d.Wait)
			}
		}
		e.answers(agrees)
		before := time.Now()
		a, err := e.Verify(t.Context(), sub.ID)
		if err != nil || a.Error != "" || a.Status != 200 {
			t.Fatalf("Verify: got %+v, %v; want a success", a, err)
		}
		if got := e.statusOf(sub.ID); got.Status != store.Subscribed || got.VerifiedAt.Before(
			before.Truncate(time.Millisecond)) {
			t.Errorf("after the proof: %q, verified %v", got.Status, got.VerifiedAt)
		}
		pass(time.Minute)
		if got := e.firstAttempts(sub.URL); fmt.Sprint(got[len(got)-5:]) != fmt.Sprint(want) {
			t.Errorf("after the proof it got %v, want %v", got, want)
		}
	})
}

// TestRunAsksForProof has endpoints that agree at once, and after a while.
func TestRunAsksForProof(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, challenged())
		late := "https://late.example/hook"
		began := time.Now()
		e.answers(func(r request) reply {
			if r.URL == late && time.Since(began) < 30*time.Second {
				return reply{Err: errors.New("no connection")}
			}
			return agrees(r)
		})
		sub := e.subscribe("https://a.example/hook") // before Run
		e.run()
		slow := e.subscribe(late)
		pass(2 * time.Second) // one after the other, as PerSubscription is 1
		if got := e.statusOf(sub.ID).Status; got != store.Subscribed {
			t.Errorf("one that agrees at once is %q, want Subscribed", got)
		}
		pass(25 * time.Second)
		if got := e.statusOf(slow.ID).Status; got != store.Unverified {
			t.Errorf("one that can't be reached is %q, want Unverified", got)
		}
		pass(time.Minute)
		if got := e.statusOf(slow.ID).Status; got != store.Subscribed {
			t.Errorf("one that was late is %q, want Subscribed", got)
		}
		pass(24 * time.Hour)
		if asked, _ := e.asked(""); asked != 1+3 {
			t.Errorf("both were asked %d times, want once and three times", asked)
		}
	})
}

// TestAnotherURLNeedsAProof changes URLs and states of a subscription that has agreed, and of one
// from before the host asked for proof.
func TestAnotherURLNeedsAProof(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		old := e.subscribe("https://old.example/hook")
		e.restart(challenged())
		e.answers(agrees)
		is := func(what string, sub store.Subscription, status store.Status, verified bool) {
			t.Helper()
			if sub.Status != status || sub.VerifiedAt.IsZero() == verified {
				t.Errorf("%s: got %q, verified %v; want %q, verified: %t", what, sub.Status,
					sub.VerifiedAt, status, verified)
			}
		}
		is("a new name, of one from before",
			e.change(old.ID, func(s *store.Subscription) { s.Name = "x" }), store.Subscribed, false)
		is("paused, of one from before", e.must(e.Pause(t.Context(), old.ID)), store.Paused, false)
		is("the end of a pause, of one from before", e.must(e.Resume(t.Context(), old.ID)),
			store.Subscribed, false)
		e.must(e.Pause(t.Context(), old.ID))
		is("replaced in a pause, of one from before", e.must(e.Subscribe(t.Context(),
			store.Subscription{ID: old.ID, URL: old.URL})), store.Subscribed, false)
		is("another URL, of one from before",
			e.change(old.ID, func(s *store.Subscription) { s.URL = "https://new.example/" }),
			store.Unverified, false)

		sub := e.subscribe("https://a.example/hook")
		e.must(e.Pause(t.Context(), sub.ID))
		is("the end of a pause before the proof", e.must(e.Resume(t.Context(), sub.ID)),
			store.Unverified, false)
		is("the proof", e.proves(sub.ID), store.Subscribed, true)
		is("a new name", e.change(sub.ID, func(s *store.Subscription) { s.Name = "x" }),
			store.Subscribed, true)
		again, err := e.Subscribe(t.Context(),
			store.Subscription{ID: sub.ID, URL: sub.URL, Name: "replaced"})
		if err != nil {
			t.Fatal(err)
		}
		is("replaced, with the same URL", again, store.Subscribed, true)
		e.must(e.Pause(t.Context(), sub.ID))
		is("another URL, when it is paused",
			e.change(sub.ID, func(s *store.Subscription) { s.URL = "https://b.example/" }),
			store.Paused, false)
		is("the end of the pause", e.must(e.Resume(t.Context(), sub.ID)), store.Unverified, false)
		is("the owner says that it is subscribed",
			e.change(sub.ID, func(s *store.Subscription) { s.Status = store.Subscribed }),
			store.Unverified, false)
		is("unsubscribed", e.must(e.Unsubscribe(t.Context(), sub.ID)), store.Unsubscribed, false)
		is("subscribed again",
			e.change(sub.ID, func(s *store.Subscription) { s.Status = store.Subscribed }),
			store.Unverified, false)
		is("the host says itself that it is good",
			e.change(sub.ID, func(s *store.Subscription) { s.VerifiedAt = time.Now() }),
			store.Subscribed, true)
		is("the host asks for a new proof",
			e.change(sub.ID, func(s *store.Subscription) { s.VerifiedAt = time.Time{} }),
			store.Unverified, false)
		replaced, err := e.Subscribe(t.Context(),
			store.Subscription{ID: old.ID, URL: "https://old.example/hook"})
		if err != nil {
			t.Fatal(err)
		}
		is("replaced, with another URL", replaced, store.Unverified, false)
	})
}

// TestWhatIsNoProof has endpoints that answer something, and have not agreed.
func TestWhatIsNoProof(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(r request, challenge string) reply
		ok     bool
	}{
		{"the challenge", func(_ request, c string) reply { return reply{Status: 200, Body: c} }, true},
		{"the challenge and a line break",
			func(_ request, c string) reply { return reply{Status: 200, Body: c + "\r\n"} }, true},
		{"JSON", func(_ request, c string) reply {
			return reply{Status: 200, Body: "{ \"challenge\": \"" + c + "\" }\n"}
		}, true},
		{"JSON with another member", func(_ request, c string) reply {
			return reply{Status: 200, Body: `{"ok":true,"challenge":"` + c + `"}`}
		}, false},
		{"JSON with another spelling", func(_ request, c string) reply {
			return reply{Status: 200, Body: `{"Challenge":"` + c + `"}`}
		}, false},
		{"200", func(request, string) reply { return reply{Status: 200, Body: "ok"} }, false},
		{"what it got",
			func(r request, _ string) reply { return reply{Status: 200, Body: r.Body} }, false},
		{"the challenge with 202",
			func(_ request, c string) reply { return reply{Status: 202, Body: c} }, false},
		{"the challenge among others", func(_ request, c string) reply {
			return reply{Status: 200, Body: "challenge: " + c}
		}, false},
		{"a redirect", func(_ request, c string) reply {
			return reply{Status: 307, Body: c, Header: http.Header{"Location": {"https://b.example/"}}}
		}, false},
		{"nothing", func(request, string) reply { return reply{Status: 200} }, false},
		{"no answer", func(request, string) reply { return reply{Err: errors.New("gone")} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := challenged()
				o.MaxResponse = -1 // what the history keeps has no part in it
				e := newEngine(t, memstore.New(), o)
				sub := e.subscribe("https://a.example/hook")
				e.answers(func(r request) reply {
					challenge, _ := signing.Challenge([]byte(r.Body))
					return tt.answer(r, challenge)
				})
				a, err := e.Verify(t.Context(), sub.ID)
				if err != nil || (a.Error == "") != tt.ok {
					t.Errorf("Verify: got %+v, %v; want a proof: %t", a, err, tt.ok)
				}
				if got := e.statusOf(sub.ID).Status; (got == store.Subscribed) != tt.ok {
					t.Errorf("it is %q, want Subscribed: %t", got, tt.ok)
				}
			})
		})
	}
}

// TestHandshake has endpoints answer the OPTIONS of CloudEvents.
func TestHandshake(t *testing.T) {
	for _, tt := range []struct {
		name   string
		asks   int
		status int
		header http.Header
		ok     bool
		rate   float64 // a second
	}{
		{"both", 120, 200, http.Header{"Webhook-Allowed-Origin": {origin},
			"Webhook-Allowed-Rate": {"90"}}, true, 1.5},
		{"any", 120, 204, http.Header{"Webhook-Allowed-Origin": {"*"},
			"Webhook-Allowed-Rate": {"*"}}, true, 0},
		{"no rate where none is asked for", 0, 200,
			http.Header{"Webhook-Allowed-Origin": {"EVENTS.example.com"}}, true, 0},
		{"a rate where none is asked for", 0, 200, http.Header{"Webhook-Allowed-Origin": {origin},
			"Webhook-Allowed-Rate": {"60"}}, true, 1},
		{"no rate", 120, 200, http.Header{"Webhook-Allowed-Origin": {origin}}, false, 0},
		{"a rate of zero", 120, 200, http.Header{"Webhook-Allowed-Origin": {origin},
			"Webhook-Allowed-Rate": {"0"}}, false, 0},
		{"a rate that is none", 120, 200, http.Header{"Webhook-Allowed-Origin": {origin},
			"Webhook-Allowed-Rate": {"1e9"}}, false, 0},
		{"another origin", 0, 200, http.Header{"Webhook-Allowed-Origin": {"example.com"}}, false, 0},
		{"200 alone", 0, 200, http.Header{"Allow": {"POST"}}, false, 0},
		{"405", 0, 405, http.Header{"Webhook-Allowed-Origin": {"*"}}, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t, memstore.New(), shaken(tt.asks))
				e.answers(shakes(tt.status, tt.header))
				sub, err := e.Subscribe(t.Context(), store.Subscription{
					URL: "https://a.example/hook?a=b", Headers: map[string]string{"Authorization": "Bearer x"},
				})
				if err != nil {
					t.Fatal(err)
				}
				a, err := e.Verify(t.Context(), sub.ID)
				if err != nil || (a.Error == "") != tt.ok {
					t.Errorf("Verify: got %+v, %v; want a proof: %t", a, err, tt.ok)
				}
				r := e.seen("")[0]
				rate := ""
				if tt.asks > 0 {
					rate = fmt.Sprint(tt.asks)
				}
				if r.Method != http.MethodOptions || r.URL != sub.URL || r.Body != "" ||
					r.Header.Get("WebHook-Request-Origin") != origin ||
					r.Header.Get("WebHook-Request-Rate") != rate ||
					r.Header.Get("Authorization") != "Bearer x" || r.Header.Get("webhook-id") != "" {
					t.Errorf("the request is %s %s %q with %v", r.Method, r.URL, r.Body, r.Header)
				}
				got := e.statusOf(sub.ID)
				if (got.Status == store.Subscribed) != tt.ok || got.AllowedRate != tt.rate {
					t.Errorf("it is %q with the rate %v, want Subscribed: %t, and %v", got.Status,
						got.AllowedRate, tt.ok, tt.rate)
				}
				if !tt.ok {
					return
				}
				e.run()
				e.publish("order.created", 1)
				settle()
				all := e.seen("")
				if h := all[len(all)-1].Header; len(all) != 2 ||
					h.Get("WebHook-Request-Origin") != origin {
					t.Errorf("the delivery has the headers %v, want the origin too", h)
				}
			})
		})
	}
}

// TestHandshakeByCallback has endpoints agree later, by the address that they were given, and
// others try to agree in their name.
func TestHandshakeByCallback(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		o := shakenLater()
		e := newEngine(t, s, o)
		sub, other := e.subscribe("https://a.example/hook"), e.subscribe("https://b.example/hook")
		address := func(of store.Subscription) (id, key string) {
			t.Helper()
			if a, err := e.Verify(t.Context(), of.ID); err != nil || a.Error == "" {
				t.Fatalf("Verify: got %+v, %v; want no proof yet", a, err)
			}
			seen := e.seen(of.URL)
			req, err := http.NewRequest(http.MethodGet,
				seen[len(seen)-1].Header.Get("WebHook-Request-Callback"), nil)
			if err != nil || !strings.HasPrefix(req.URL.String(), o.Verify.Callback+"?") {
				t.Fatalf("the address is %v, %v", req, err)
			}
			return req.URL.Query().Get("id"), req.URL.Query().Get("key")
		}
		refused := func(what, id, key, rate string) {
			t.Helper()
			if err := e.Granted(t.Context(), id, key, rate); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: got error %v, want ErrNotFound", what, err)
			}
		}
		id, key := address(sub)
		_, theirs := address(other)
		refused("another's key", id, theirs, "")
		refused("no key", id, "", "")
		refused("a key that is changed", id, key[:10]+"x"+key[11:], "")
		refused("a rate that is none", id, key, "many")
		refused("an unknown ID", "00000000-0000-4000-8000-000000000000", key, "")
		if got := e.statusOf(sub.ID).Status; got != store.Unverified {
			t.Errorf("it is %q before anybody agreed", got)
		}
		if err := e.Granted(t.Context(), id, key, "30"); err != nil {
			t.Fatalf("Granted: %v", err)
		}
		if got := e.statusOf(sub.ID); got.Status != store.Subscribed || got.AllowedRate != 0.5 {
			t.Errorf("it is %q with the rate %v, want Subscribed with 0.5", got.Status, got.AllowedRate)
		}
		if err := e.Granted(t.Context(), id, key, ""); err != nil {
			t.Fatalf("Granted once more: %v", err)
		}
		if got := e.statusOf(sub.ID).AllowedRate; got != 0.5 {
			t.Errorf("a call without a rate has set it to %v, want 0.5 as before", got)
		}
		e.change(sub.ID, func(s *store.Subscription) { s.URL = "https://c.example/hook" })
		refused("the key of the URL before", id, key, "")
		id, key = address(other)
		pass(25 * time.Hour)
		refused("a key of the day before", id, key, "")
	})
}

// TestProofsAreBounded asks more often than anybody may: of one subscription, of one tenant, and of
// one host by many tenants.
func TestProofsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(), challenged())
		spelled := 0
		spellings := []string{"https://VICTIM.example/", "https://victim.example:8443/",
			"https://victim.EXAMPLE.:443/"}
		asks := func(tenant, path string, n int) (kinds map[dispatcher.QuotaKind]int) {
			t.Helper()
			kinds = make(map[dispatcher.QuotaKind]int)
			spelled++
			sub, err := e.Subscribe(t.Context(), store.Subscription{
				Tenant: tenant, URL: spellings[spelled%len(spellings)] + path})
			if err != nil {
				t.Fatal(err)
			}
			for range n {
				_, err := e.Verify(t.Context(), sub.ID)
				quota := (*dispatcher.QuotaError)(nil)
				switch {
				case errors.As(err, &quota):
					kinds[quota.Kind]++
				case err != nil:
					t.Fatal(err)
				}
			}
			return kinds
		}
		if got := asks("a", "1", 8); got[dispatcher.QuotaSubscriptionPings] != 3 {
			t.Errorf("one subscription: refused %v, want 3 of 8", got)
		}
		refused := 0
		for i := range 10 {
			refused += asks(fmt.Sprint("tenant", i), fmt.Sprint(i), 5)[dispatcher.QuotaHostProofs]
		}
		if asked, _ := e.asked(""); asked != 30 || refused != 5+50-30 {
			t.Errorf("one host was asked %d times, and %d times refused, want 30 and 25", asked, refused)
		}
	})
}

// TestNoProofFromDeniedAddresses asks endpoints that deliveries must not go to.
func TestNoProofFromDeniedAddresses(t *testing.T) {
	for _, method := range []dispatcher.VerifyMethod{
		dispatcher.VerifyChallenge, dispatcher.VerifyHandshake,
	} {
		o := dispatcher.Options{Verify: dispatcher.Verification{Method: method}}
		if method == dispatcher.VerifyHandshake {
			o.Verify.Origin = "events.example.com"
		}
		s := memstore.New()
		d, err := dispatcher.New(s, &o)
		if err != nil {
			t.Fatal(err)
		}
		sub, err := s.CreateSubscription(t.Context(), store.Subscription{
			ID: "3e639566-29fa-450d-a59f-ae3c25d7260f", URL: "http://127.0.0.1:8080/",
			Status: store.Unverified,
		})
		if err != nil {
			t.Fatal(err)
		}
		a, err := d.Verify(t.Context(), sub.ID)
		if err != nil || dispatcher.ErrorClass(a.Error) != dispatcher.ClassBlockedAddress {
			t.Errorf("method %d: got %+v, %v; want a blocked address", method, a, err)
		}
	}
}

// TestVerifyIsForHostsThatAskForProof has calls that make no sense.
func TestVerifyIsForHostsThatAskForProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(), nil)
		sub := e.subscribe("https://a.example/hook")
		var invalid *events.InvalidError
		if _, err := e.Verify(t.Context(), sub.ID); !errors.As(err, &invalid) {
			t.Errorf("Verify without a proof to ask for: got error %v, want an InvalidError", err)
		}
		_, err := e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.Status = store.Unverified
			return nil
		})
		if !errors.As(err, &invalid) || invalid.Field != "status" {
			t.Errorf("Unverified without a proof to ask for: got error %v, want one of the status", err)
		}
		if err := e.Granted(t.Context(), sub.ID, "key", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Granted: got error %v, want ErrNotFound", err)
		}
		e.restart(challenged())
		moving := e.subscribe("https://b.example/hook")
		e.answers(func(r request) reply {
			e.must(e.Update(t.Context(), moving.ID, func(s *store.Subscription) error {
				s.URL = "https://c.example/hook"
				return nil
			}))
			return agrees(r)
		})
		if _, err := e.Verify(t.Context(), moving.ID); !errors.Is(err, store.ErrConflict) {
			t.Errorf("a URL that changes while it is asked: got error %v, want ErrConflict", err)
		}
		if got := e.statusOf(moving.ID); got.Status != store.Unverified || !got.VerifiedAt.IsZero() {
			t.Errorf("a URL that changes while it is asked: it is %q, verified %v", got.Status,
				got.VerifiedAt)
		}
	})
}

func TestVerifyOptions(t *testing.T) {
	key := signing.NewSecret()
	for _, tt := range []struct {
		verify dispatcher.Verification
		want   string
	}{
		{dispatcher.Verification{}, ""},
		{dispatcher.Verification{Method: 3}, "dispatcher: Options.Verify.Method is 3; give one"},
		{dispatcher.Verification{Origin: "a.example"}, "Verify.Origin, Rate, Callback and CallbackKey"},
		{dispatcher.Verification{Method: dispatcher.VerifyHandshake}, "Verify.Origin is no DNS name"},
		{dispatcher.Verification{Method: dispatcher.VerifyHandshake, Origin: "a.example\r\nX: y"},
			"Verify.Origin is no DNS name"},
		{dispatcher.Verification{Method: dispatcher.VerifyHandshake, Origin: "a.example", Rate: -1},
			"Verify.Rate is -1"},
		{dispatcher.Verification{Method: dispatcher.VerifyHandshake, Origin: "a.example",
			Callback: "https://h.example/?a", CallbackKey: key}, "Verify.Callback is no address"},
		{dispatcher.Verification{Method: dispatcher.VerifyHandshake, Origin: "a.example",
			Callback: "https://h.example/"}, "Verify.CallbackKey is not a key"},
		{dispatcher.Verification{Method: dispatcher.VerifyHandshake, Origin: "a.example",
			CallbackKey: key}, "Verify.CallbackKey has no effect"},
		{dispatcher.Verification{Method: dispatcher.VerifyHandshake, Origin: "a.example", Rate: 1,
			Callback: "https://h.example/", CallbackKey: key}, ""},
	} {
		_, err := dispatcher.New(memstore.New(), &dispatcher.Options{Verify: tt.verify})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%+v: got error %v, want none", tt.verify, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%+v: got error %v, want %q", tt.verify, err, tt.want)
		case err != nil && strings.Contains(err.Error(), string(key)):
			t.Errorf("%+v: the error has the key", tt.verify)
		}
	}
}
