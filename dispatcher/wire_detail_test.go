package dispatcher_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// apiToken is a credential of the subscription's. It must be in no detail.
const apiToken = "t0ken-of-the-customer"

// headerOf returns the value of a header that a detail must have.
func headerOf(t *testing.T, fields []store.HeaderField, name string) string {
	t.Helper()
	i := slices.IndexFunc(fields, func(f store.HeaderField) bool { return f.Name == name })
	if i < 0 {
		t.Errorf("there is no header %s in %+v", name, fields)
		return ""
	}
	return fields[i].Value
}

// TestDetailOfAFailure has the history keep what was sent and answered, without credentials.
func TestDetailOfAFailure(t *testing.T) {
	ca := nettest.NewAuthority(t)
	name := nettest.Name("detail")
	address := nettest.ServeTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session="+canary)
		w.Header().Set("X-Echo", "you sent "+r.Header.Get("X-Api-Key")+"!")
		w.Header().Set("X-Bearer", strings.TrimPrefix(r.Header.Get("X-Token"), "Bearer "))
		w.WriteHeader(http.StatusInternalServerError)
		// The second is cut, in the middle of the key.
		key := r.Header.Get("X-Api-Key")
		io.WriteString(w, key+" "+strings.Repeat("x", 2000-len(key)-1-len(key)/2)+key+" and more")
	}), ca.Config(t, name))
	w := newWire(t, dispatcher.Options{
		MaxResponse: 2000,
		Sign: func(dispatcher.Message) (http.Header, error) {
			return http.Header{"X-Sig": {"a signature"}, "Authorization": {"Basic " + apiToken}}, nil
		},
		Transform: func(
			_ context.Context, _ store.Subscription, _ events.Event, r *dispatcher.Request,
		) error {
			r.Header.Set("X-Token", "Bearer 2-"+apiToken)
			return nil
		},
	})
	names := nettest.ServeNames(t, map[string][]string{name + ".": {"127.0.0.1"}})
	w.Resolve(names.Resolver, ca.Pool)
	w.run(t)
	sub := w.subscribe(t, store.Subscription{
		URL: "https://" + name + ":" + nettest.Port(address) + "/hook", Headers: map[string]string{
			"x-api-key": apiToken, "User-Agent": "mine",
		}, Secrets: []signing.Secret{signing.NewSecret()},
	})
	ev := w.publish(t, 1)
	w.next(t)
	attempts, err := w.Attempts(t.Context(), sub.ID, ev.ID)
	if err != nil || len(attempts) != 1 || attempts[0].Detail == nil {
		t.Fatalf("got %+v, %v, want an attempt with its detail", attempts, err)
	}
	a, d := attempts[0], attempts[0].Detail
	for name, want := range map[string]string{
		"Webhook-Id": ev.ID, "X-Sig": store.Masked, "Content-Type": "application/json",
		"X-Api-Key": store.Masked, "User-Agent": store.Masked, "X-Token": store.Masked,
		"Authorization": store.Masked,
	} {
		if got := headerOf(t, d.Request, name); got != want {
			t.Errorf("the request's %s is %q, want %q", name, got, want)
		}
	}
	if got := headerOf(t, d.Request, "Webhook-Signature"); !strings.HasPrefix(got, "v1,") {
		t.Errorf("the signature is %q, want the one that was sent", got)
	}
	for name, want := range map[string]string{
		"Set-Cookie": store.Masked, "X-Echo": "you sent " + store.Masked + "!",
		"X-Bearer": store.Masked, "Content-Type": "text/plain; charset=utf-8",
	} {
		if got := headerOf(t, d.Answer, name); got != want {
			t.Errorf("the answer's %s is %q, want %q", name, got, want)
		}
	}
	text := fmt.Sprintf("%+v", d)
	if strings.Contains(text, apiToken) || strings.Contains(text, canary) {
		t.Errorf("the detail has a credential: %s", text)
	}
	if d.RemoteAddress != address || d.Reused || d.RequestCut || d.AnswerCut {
		t.Errorf("%s: got %+v, want a new connection to %s, and nothing cut", a.Error, d, address)
	}
	if sum := d.DNS + d.Connect + d.TLS + d.FirstByte; d.DNS <= 0 || d.Connect <= 0 || d.TLS <= 0 ||
		d.FirstByte <= 0 || sum > a.Duration {
		t.Errorf("the parts are %v, %v, %v and %v, want each to have taken some of %v", d.DNS,
			d.Connect, d.TLS, d.FirstByte, a.Duration)
	}
	if got := strings.Trim(string(a.Response), "x"); strings.ReplaceAll(got, "x", "") !=
		store.Masked+" "+store.Masked {
		t.Errorf("of the answer's body %.40q … is kept, want it with the key masked", got)
	}
}

// TestDetailIsCut has an endpoint send more headers than are kept.
func TestDetailIsCut(t *testing.T) {
	address := nettest.ServeHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 30 {
			w.Header().Set(fmt.Sprintf("A-%02d", i), strings.Repeat("é", 100))
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	w := newWire(t, dispatcher.Options{})
	a := w.ping(t, "http://"+address)
	size := 0
	for _, f := range a.Detail.Answer {
		size += f.Size()
	}
	if !a.Detail.AnswerCut || a.Detail.RequestCut || size > store.MaxDetailHeaders ||
		size < store.MaxDetailHeaders-store.HeaderFieldOverhead-5 {
		t.Errorf("%d bytes of headers, cut: %t, want the first %d, cut", size, a.Detail.AnswerCut,
			store.MaxDetailHeaders)
	}
	if err := a.Validate(); err != nil {
		t.Error(err)
	}
}

// TestDetailOfAKeptConnection has no handshake to tell of.
func TestDetailOfAKeptConnection(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		address, scheme := "", "http://"
		if ca == nil {
			address = nettest.ServeHTTP(t, h)
		} else {
			address, scheme = nettest.ServeTLS(t, h, ca.Config(t, "127.0.0.1")), "https://"
		}
		w := newWire(t, dispatcher.Options{AttemptDetail: dispatcher.DetailOfAll})
		if ca != nil {
			w.Trust(ca.Pool)
		}
		first, second := w.ping(t, scheme+address).Detail, w.ping(t, scheme+address).Detail
		if first == nil || first.Reused || first.Connect <= 0 || (first.TLS > 0) != (ca != nil) {
			t.Errorf("the first: %+v, want a connection that was made", first)
		}
		if second == nil || !second.Reused || second.DNS != 0 || second.Connect != 0 ||
			second.TLS != 0 || second.FirstByte <= 0 || second.RemoteAddress != address {
			t.Errorf("the second: %+v, want a kept connection to %s", second, address)
		}
	})
}

// TestDetailSaysWhereItHung has attempts time out in one of their parts.
func TestDetailSaysWhereItHung(t *testing.T) {
	silent := nettest.Listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	w := newWire(t, dispatcher.Options{Timeout: hostileTimeout / 4})
	a := w.ping(t, "https://"+silent)
	if d := a.Detail; d == nil || d.TLS < a.Duration/2 || d.FirstByte != 0 {
		t.Errorf("an endpoint that hangs in the handshake: %+v of %v", d, a.Duration)
	}
	a = w.ping(t, "http://"+silent)
	if d := a.Detail; d == nil || d.FirstByte < a.Duration/2 || d.TLS != 0 {
		t.Errorf("an endpoint that does not answer: %+v of %v", d, a.Duration)
	}
}

// TestDetailOfWhichAttempts goes through the values of Options.AttemptDetail.
func TestDetailOfWhichAttempts(t *testing.T) {
	address := nettest.ServeHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	for _, tt := range []struct {
		o         dispatcher.AttemptDetail
		good, bad bool
	}{
		{dispatcher.DetailOfFailures, false, true},
		{dispatcher.DetailOfAll, true, true},
		{dispatcher.DetailOfNone, false, false},
	} {
		w := newWire(t, dispatcher.Options{AttemptDetail: tt.o})
		good, bad := w.ping(t, "http://"+address), w.ping(t, "http://"+address+"/bad")
		if (good.Detail != nil) != tt.good || (bad.Detail != nil) != tt.bad {
			t.Errorf("%d: a success has %+v and a failure %+v", tt.o, good.Detail, bad.Detail)
		}
	}
	w := newWire(t, dispatcher.Options{Transport: http.DefaultTransport})
	if d := w.ping(t, "http://"+address+"/bad").Detail; d == nil || d.RemoteAddress != address ||
		d.FirstByte <= 0 {
		t.Errorf("with a host's transport: %+v", d)
	}
}
