package dispatcher_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// hub signs as X-Hub-Signature-256 does, with the first key.
func hub(key signing.Secret, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestSignAddsAScheme(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		const key = signing.Secret("a key of the customer's")
		var got []dispatcher.Message
		e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter,
			Sign: func(m dispatcher.Message) (http.Header, error) {
				h := http.Header{}
				if len(m.Keys) > 0 {
					h.Set("X-Hub-Signature-256", hub(m.Keys[0], m.Body))
				}
				got = append(got, m)
				clear(m.Body)
				return h, nil
			}})
		sub, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Secrets: []signing.Secret{key}})
		if err != nil {
			t.Fatal(err)
		}
		// 200 the first time
		e.answers(func(r request) reply { return reply{Status: 100 + 100*r.Attempt} })
		e.run()
		ev := e.publish("order.created", 1)
		pass(time.Second)
		r := e.seen("")
		if len(r) != 1 || len(got) != 1 {
			t.Fatalf("%d requests and %d signatures, want one", len(r), len(got))
		}
		body, _ := ev.Body()
		if r[0].Body != string(body) || r[0].Header.Get("X-Hub-Signature-256") != hub(key, body) {
			t.Errorf("sent %s with %v, want it signed", r[0].Body, r[0].Header)
		}
		if r[0].Header.Get("Webhook-Signature") == "" ||
			r[0].Header.Get("X-Airy-Content-Signature") == "" {
			t.Error("the sender's own signatures are missing")
		}
		m := got[0]
		if at := strconv.FormatInt(m.Time.Unix(), 10); m.ID != ev.ID || m.SubscriptionID != sub.ID ||
			at != r[0].Header.Get("Webhook-Timestamp") {
			t.Errorf("Sign got %q of %q at %s, want the event's ID and the attempt's time", m.ID,
				m.SubscriptionID, at)
		}
	})
}

func TestSignThatFailsIsAFailedAttempt(t *testing.T) {
	for name, fails := range map[string]func() (http.Header, error){
		"error": func() (http.Header, error) { return nil, errors.New("no key") },
		"panic": func() (http.Header, error) { panic("a bug") },
		"reserved header": func() (http.Header, error) {
			return http.Header{"webhook-id": {"forged"}}, nil
		},
		"reserved family": func() (http.Header, error) {
			return http.Header{"X-Airy-Other": {"forged"}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				calls := 0
				e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter,
					Sign: func(dispatcher.Message) (http.Header, error) {
						if calls++; calls == 1 {
							return fails()
						}
						return nil, nil
					}})
				e.subscribe("https://a.example/hook")
				e.run()
				ev := e.publish("order.created", 1)
				pass(time.Second)
				if d := e.wantState(ev, store.Pending); d.Attempts != 1 || len(e.seen("")) != 0 {
					t.Errorf("%d attempts, %d requests; want one that failed before it was sent", d.Attempts,
						len(e.seen("")))
				}
				pass(time.Minute)
				e.wantState(ev, store.Delivered)
			})
		})
	}
}
