package dispatcher_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// hiding declares two types, of which acme may know of one.
func hiding(visible func(tenant, eventType string) bool) *dispatcher.Options {
	return &dispatcher.Options{TypeVisible: visible, OperationalEvents: true,
		EventTypes: []events.Type{{Name: "order.paid"}, {Name: "beta.scored"}}}
}

func notForAcme(tenant, eventType string) bool {
	return tenant != "acme" || eventType != "beta.scored"
}

func panicForAcme(tenant, eventType string) bool {
	if !notForAcme(tenant, eventType) {
		panic("a bug")
	}
	return true
}

// A type that is hidden from a tenant is refused in the words of one that there is not, and is in
// no list; a panic hides it too.
func TestHiddenType(t *testing.T) {
	for name, visible := range map[string]func(string, string) bool{
		"false": notForAcme, "panic": panicForAcme,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, *hiding(visible))
			subscribe := func(tenant, pattern string) error {
				_, err := w.Subscribe(t.Context(), store.Subscription{Tenant: tenant,
					URL: "https://a.example/hook", Events: []string{pattern}})
				return err
			}
			for hidden, unknown := range map[string]string{
				"beta.scored": "beta.wanted", "beta.*": "what.*",
			} {
				got, want := subscribe("acme", hidden), subscribe("acme", unknown)
				if got == nil || want == nil ||
					strings.ReplaceAll(got.Error(), hidden, unknown) != want.Error() {
					t.Errorf("%s: got %v\nwant the words of %v", hidden, got, want)
				}
				if err := subscribe("other", hidden); err != nil {
					t.Errorf("%s of a tenant that may know of it: %v", hidden, err)
				}
			}
			if got := fmt.Sprint(w.EventTypesFor("acme")); strings.Contains(got, "beta") ||
				len(w.EventTypesFor("acme")) != 3 || len(w.EventTypesFor("other")) != 4 ||
				len(w.EventTypes()) != 4 {
				t.Errorf("the types of acme are %s", got)
			}
		})
	}
}

// What is published of a hidden type goes to nobody of that tenant, not even to those who take
// everything, and the rest of the call is stored.
func TestHiddenTypeIsNotPublished(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		published := 0
		o := hiding(notForAcme)
		o.Observer = &dispatcher.Observer{OnPublish: func(evs []events.Event) { published += len(evs) }}
		e := newEngine(t, s, o)
		for _, tenant := range []string{"acme", "other"} {
			_, err := e.Subscribe(t.Context(), store.Subscription{Tenant: tenant,
				URL: "https://" + tenant + ".example/"})
			if err != nil {
				t.Fatal(err)
			}
		}
		e.run()
		var evs []events.Event
		for _, tenant := range []string{"acme", "other"} {
			for _, eventType := range []string{"beta.scored", "order.paid"} {
				ev, err := events.New(eventType, 1)
				if err != nil {
					t.Fatal(err)
				}
				ev.Tenant = tenant
				evs = append(evs, ev)
			}
		}
		if err := e.Publish(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		for tenant, want := range map[string]int{"acme": 1, "other": 2} {
			if rs := e.seen("https://" + tenant + ".example/"); len(rs) != want {
				t.Errorf("%s got %d events, want %d", tenant, len(rs), want)
			}
		}
		if published != 3 {
			t.Errorf("the observer was told of %d events, want 3", published)
		}
		if err := e.Publish(t.Context(), evs[0]); err != nil { // alone
			t.Errorf("a hidden type alone: %v, want nil as of an event that nobody wants", err)
		}
	})
}

// What a type says of itself is checked by name.
func TestEventTypeFields(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    dispatcher.Options
		want string
	}{
		{"fine", dispatcher.Options{EventTypes: []events.Type{{Name: "a", Version: "2026-03-01",
			Deprecated: "Use b. It is sent until 2027."}}}, ""},
		{"a long version", dispatcher.Options{EventTypes: []events.Type{{Name: "a",
			Version: strings.Repeat("1", 65)}}}, "EventTypes[0].Version"},
		{"a control character", dispatcher.Options{EventTypes: []events.Type{{Name: "a"}, {Name: "b",
			Deprecated: "Use a.\n"}}}, "EventTypes[1].Deprecated"},
		{"no UTF-8", dispatcher.Options{EventTypes: []events.Type{{Name: "a",
			Version: "\xff"}}}, "EventTypes[0].Version"},
		{"nothing to hide", dispatcher.Options{TypeVisible: notForAcme}, "TypeVisible"},
	} {
		_, err := dispatcher.New(memstore.New(), &tt.o)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error that says %q", tt.name, err, tt.want)
		}
	}
}
