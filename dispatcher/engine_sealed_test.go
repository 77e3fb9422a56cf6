package dispatcher_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/sealed"
)

// TestWhatIsSealedIsNotSent takes the key away from a store whose secrets are sealed, and gives it
// back.
func TestWhatIsSealedIsNotSent(t *testing.T) {
	for name, sub := range map[string]store.Subscription{
		"secret": {Secrets: []signing.Secret{"the first of the keys", "the second of the keys"}},
		"header": {Headers: map[string]string{"Authorization": "Bearer token"}},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, inner store.Store) {
				key := sealed.Key{ID: "k", Secret: [32]byte{1, 2, 3}}
				s, err := sealed.New(inner, key)
				if err != nil {
					t.Fatal(err)
				}
				e := newEngine(t, s, nil)
				sub.URL = "https://sealed.example/hook"
				kept, err := e.Subscribe(t.Context(), sub)
				if err != nil {
					t.Fatal(err)
				}
				e.subscribe("https://plain.example/hook")
				var evs []events.Event
				for i := range 100 {
					evs = append(evs, e.publish("order.created", i))
				}
				troubles := 0
				counting := &countingStore{Store: inner, calls: make(map[string]int)}
				e.store = counting // without the key
				e.restart(
					&dispatcher.Options{Observer: &dispatcher.Observer{OnStoreTrouble: func(op string, _ error) {
						if op == "open" {
							troubles++
						}
					}}})
				e.run()
				pass(time.Hour)
				if _, err := e.Ping(t.Context(), kept.ID); !errors.Is(err, store.ErrSealed) {
					t.Errorf("Ping: %v, want store.ErrSealed", err)
				}
				e.stop()
				if n := len(e.seen(sub.URL)); n != 0 {
					t.Errorf("%d requests went out with what is sealed", n)
				}
				if n := len(e.seen("https://plain.example/hook")); n != len(evs) {
					t.Errorf("%d requests to the other, want %d", n, len(evs))
				}
				if troubles == 0 || troubles > 100 || counting.calls["Claim"] > 1000 {
					t.Errorf("%d reports and %d claims in an hour, want some, and no busy loop", troubles,
						counting.calls["Claim"])
				}
				if st, err := e.Stats(t.Context()); err != nil || st.Pending != len(evs) || st.InFlight != 0 {
					t.Errorf("stats are %+v, %v; want all to wait", st, err)
				}

				e.store = s
				e.restart(&dispatcher.Options{PerSubscription: 1})
				e.run()
				pass(2 * time.Minute)
				got := e.seen(sub.URL)
				if len(got) != len(evs) {
					t.Fatalf("%d requests once the key was back, want %d", len(got), len(evs))
				}
				for i, r := range got {
					if r.EventID != evs[i].ID || r.Attempt != 1 {
						t.Fatalf("request %d is attempt %d of %s, want the first of %s", i, r.Attempt, r.EventID,
							evs[i].ID)
					}
				}
			})
		})
	}
}

// TestSealedIsNotChangedInPart updates a sealed subscription through a store that has no key.
func TestSealedIsNotChangedInPart(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		s, err := sealed.New(inner, sealed.Key{ID: "k", Secret: [32]byte{1, 2, 3}})
		if err != nil {
			t.Fatal(err)
		}
		e := newEngine(t, s, nil)
		want := map[string]string{"X-A": "one", "X-B": "two"}
		sub, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Headers: want})
		if err != nil || sub.SealedWith != "" {
			t.Fatalf("Subscribe: %+v, %v, want it plain", sub, err)
		}
		e.store = inner // without the key
		e.restart(nil)
		for name, change := range map[string]func(*store.Subscription){
			"a header": func(s *store.Subscription) { s.Headers["X-A"] = "plain" },
			"a secret": func(s *store.Subscription) { s.Secrets = append(s.Secrets, signing.NewSecret()) },
			"a header's name": func(s *store.Subscription) {
				s.Headers = map[string]string{"X-C": s.Headers["X-A"]}
			},
			"its URL":   func(s *store.Subscription) { s.URL = "https://b.example/hook" },
			"its state": func(s *store.Subscription) { s.Headers["X-A"], s.SealedWith = "plain", "" },
		} {
			_, err := e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
				change(s)
				return nil
			})
			if !errors.Is(err, store.ErrSealed) {
				t.Errorf("an update of %s: %v, want store.ErrSealed", name, err)
			}
		}
		if _, err := e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.Name = "new"
			return nil
		}); err != nil {
			t.Errorf("an update of its name: %v", err)
		}
		if got, err := s.Subscription(t.Context(), sub.ID); err != nil || got.Name != "new" ||
			!maps.Equal(got.Headers, want) {
			t.Errorf("with the key: %+v, %v, want the new name and the headers", got, err)
		}
	})
}

// TestSealedIsReplaced gives a sealed subscription all its values anew through a store that has not
// its key: the sealed one, or none.
func TestSealedIsReplaced(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		for name, without := range map[string]store.Store{
			"another key": sealedWith(t, inner, "another"), "no sealed store": inner,
		} {
			e := newEngine(t, sealedWith(t, inner, "k"), nil)
			sub, err := e.Subscribe(t.Context(), store.Subscription{URL: "https://a.example/" + name[:2],
				Headers: map[string]string{"X-A": "one"},
				Secrets: []signing.Secret{"the first of the keys"}})
			if err != nil {
				t.Fatal(err)
			}
			e.store = without
			e.restart(nil)
			if sub, err = e.Subscription(t.Context(), sub.ID); err != nil || sub.SealedWith != "k" {
				t.Errorf("%s: the subscription is %+v, %v, want it sealed", name, sub, err)
			}
			sub, err = e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
				s.URL, s.Headers = "https://b.example/"+name[:2], map[string]string{"X-A": "new"}
				s.Secrets = nil
				return nil
			})
			if err != nil || sub.SealedWith != "" {
				t.Errorf("%s: the update of all values: %+v, %v, want it plain", name, sub, err)
			}
			e.publish("order.created", name)
			e.run()
			settle()
			e.stop()
			if got := e.seen(sub.URL); len(got) != 1 || got[0].Header.Get("X-A") != "new" {
				t.Errorf("%s: got %+v, want one request with the new header", name, got)
			}
			if err := e.Delete(t.Context(), sub.ID); err != nil {
				t.Error(err)
			}
		}
	})
}

// sealedWith returns a sealed store with a key of its own.
func sealedWith(t *testing.T, inner store.Store, id string) store.Store {
	t.Helper()
	s, err := sealed.New(inner, sealed.Key{ID: id, Secret: sealed.NewSecret()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAnyTextIsAHeader has values that look like what is sealed.
func TestAnyTextIsAHeader(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		s, err := sealed.New(inner, sealed.Key{ID: "k", Secret: [32]byte{1, 2, 3}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []store.Store{s, inner} {
			e := newEngine(t, s, nil)
			const value = "outhook:sealed:v1:k:AAAA"
			e.subscribe("https://other.example/hook")
			_, err = e.Subscribe(t.Context(), store.Subscription{
				URL: "https://a.example/hook", Headers: map[string]string{"X-A": value}, SealedWith: "k",
			})
			if err != nil {
				t.Fatal(err)
			}
			e.publish("order.created", 1)
			e.run()
			settle()
			if got := e.seen("https://a.example/hook"); len(got) == 0 || got[0].Header.Get("X-A") != value {
				t.Errorf("got %d requests, want the header %q", len(got), value)
			}
			e.stop()
		}
	})
}
