package dispatcher_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func TestPingIsSentAtOnceAndNotRecorded(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil) // Run is not running
		key := signing.NewSecret()
		sub, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Secrets: []signing.Secret{key}})
		if err != nil {
			t.Fatal(err)
		}
		e.answers(func(request) reply { return reply{Status: 418, Body: "short and stout"} })
		got, err := e.Ping(t.Context(), sub.ID)
		if err != nil || got.Status != 418 || string(got.Response) != "short and stout" ||
			got.Error == "" {
			t.Errorf("Ping: %+v, %v", got, err)
		}
		r := e.seen("")[0]
		if err := (signing.Verifier{Keys: []signing.Secret{key}}).Verify(r.Header,
			[]byte(r.Body)); err != nil {
			t.Errorf("the ping does not verify: %v", err)
		}
		if n := len(e.deliveries()); n != 0 {
			t.Errorf("%d deliveries are recorded, want none", n)
		}
		if _, err := e.Ping(t.Context(), "3e639566-29fa-450d-a59f-ae3c25d7260f"); !errors.Is(err,
			store.ErrNotFound) {
			t.Errorf("Ping of an unknown subscription: %v, want store.ErrNotFound", err)
		}
	})
}

// TestPingHastens has an endpoint fail a number of deliveries, be repaired, and its owner ping it:
// what waits for a retry is due at once, however many failures there were.
func TestPingHastens(t *testing.T) {
	for _, failures := range []int{1, dispatcher.BreakerThreshold - 1, dispatcher.BreakerThreshold,
		2 * dispatcher.BreakerThreshold} {
		for _, status := range []int{500, 422} {
			t.Run(fmt.Sprintf("%d of %d", failures, status), func(t *testing.T) {
				onEachStore(t, func(t *testing.T, s store.Store) {
					e := newEngine(t, s, &dispatcher.Options{Backoff: dispatcher.Backoff{Initial: 10 * time.Hour,
						Jitter: -1}})
					sub := e.subscribe("https://a.example/hook")
					e.status(status)
					e.run()
					for i := range failures {
						e.publish("order.created", i)
						pass(time.Minute)
					}
					before := len(e.seen(""))
					e.answers(func(r request) reply {
						if strings.Contains(r.Body, dispatcher.TypePing) {
							return reply{Status: 500} // it is not repaired yet
						}
						return reply{Status: 200}
					})
					if _, err := e.Ping(t.Context(), sub.ID); err != nil {
						t.Fatal(err)
					}
					pass(time.Second)
					if n := len(e.seen("")) - before; n != 1 {
						t.Errorf("%d requests after a ping that failed, want none but the ping", n)
					}
					e.status(200)
					if _, err := e.Ping(t.Context(), sub.ID); err != nil {
						t.Fatal(err)
					}
					pass(time.Second)
					if n := e.states(); n[store.Delivered] != failures {
						t.Errorf("states a second after the ping are %v, want all %d delivered", n, failures)
					}
				})
			})
		}
	}
}

// TestPingsOfATenantKeepNoOtherWaiting has one tenant ping as often as it may an endpoint that does
// not answer.
func TestPingsOfATenantKeepNoOtherWaiting(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		ids := make(map[string]string)
		for _, tenant := range []string{"slow", "fast"} {
			sub, err := e.Subscribe(t.Context(),
				store.Subscription{Tenant: tenant, URL: "https://" + tenant + ".example/hook"})
			if err != nil {
				t.Fatal(err)
			}
			ids[tenant] = sub.ID
		}
		e.answers(func(r request) reply {
			if strings.Contains(r.URL, "slow") {
				return reply{Delay: never}
			}
			return reply{Status: 200}
		})
		start, over := time.Now(), make(chan time.Duration)
		const most = 4
		for range most + 1 {
			go func() {
				_, _ = e.Ping(t.Context(), ids["slow"])
				over <- time.Since(start)
			}()
		}
		settle()
		if n := len(e.seen("https://slow.example/hook")); n != most {
			t.Errorf("%d pings of one tenant are under way, want %d", n, most)
		}
		other := time.Now()
		if got, err := e.Ping(t.Context(), ids["fast"]); err != nil || got.Status != 200 ||
			time.Since(other) != 0 {
			t.Errorf("the other tenant's ping: %+v, %v after %v; want it answered at once", got, err,
				time.Since(other))
		}
		for i := range most + 1 {
			want := dispatcher.DefaultTimeout
			if i == most {
				want *= 2
			}
			if got := <-over; got != want {
				t.Errorf("ping %d was over after %v, want %v", i+1, got, want)
			}
		}
	})
}
