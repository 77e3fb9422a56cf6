package content_test

import (
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/content"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/store"
)

const event = `{"type":"order.paid","timestamp":1603661094560,"payload":{"id":1,"vip":true}}`

func newClaim() *store.Claim {
	return &store.Claim{
		Lease:        store.Lease{SubscriptionID: "s", EventID: "e1"},
		Subscription: &store.Subscription{},
		EventType:    "order.paid",
		Key:          "k",
		EventTime:    time.UnixMilli(1603661094560),
		Body:         []byte(event),
		Attempt:      1,
	}
}

func format(mode cloudevents.Mode) cloudevents.Format {
	return cloudevents.Format{Mode: mode, Source: "/shop",
		Extensions: map[string]string{"region": "<eu>", "none": ""}}
}

// recipes are one of each kind, with what they make.
var recipes = []struct {
	name       string
	r          content.Recipe
	body, kind string
	ceID       string
}{
	{"usual", content.Recipe{}, event, "application/json", ""},
	{"usual, by its name", content.Recipe{Type: "application/json"}, event, "application/json", ""},
	{"of another type", content.Recipe{Type: "text/x"}, event, "text/x", ""},
	{"fields", content.Recipe{Fields: []string{"vip", `a\.b`}},
		`{"type":"order.paid","timestamp":1603661094560,"payload":{"vip":true}}`, "application/json", ""},
	{"own", content.Recipe{Own: []byte("{own}")}, "{own}", "application/json", ""},
	{"own and empty", content.Recipe{Own: []byte{}}, "", "application/json", ""},
	{"structured", content.Recipe{Event: format(cloudevents.Structured), Schema: "urn:a"},
		`{"specversion":"1.0","id":"e1","source":"/shop","type":"order.paid",` +
			`"time":"2020-10-25T21:24:54.560Z","subject":"k","dataschema":"urn:a","region":"<eu>",` +
			`"datacontenttype":"application/json","data":{"id":1,"vip":true}}`,
		cloudevents.ContentType, ""},
	{"binary, with fields", content.Recipe{Type: "text/x", Fields: []string{"id"},
		Event: format(cloudevents.Binary)}, `{"id":1}`, "application/json", "e1"},
	{"own and structured", content.Recipe{Own: []byte("own"), Event: format(cloudevents.Structured)},
		"own", cloudevents.ContentType, ""},
	{"own and binary", content.Recipe{Own: []byte("own"), Fields: []string{"id"},
		Event: format(cloudevents.Binary)}, "own", "application/json", "e1"},
}

// A mark makes the same content as the recipe that it is of, whatever the subscription says then.
func TestMarkMakesTheSame(t *testing.T) {
	for _, tt := range recipes {
		c := newClaim()
		first, err := tt.r.Make(c)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if string(first.Body) != tt.body || first.Type != tt.kind ||
			first.Attributes.Get("ce-id") != tt.ceID || (first.Attributes != nil) != (tt.ceID != "") {
			t.Errorf("%s: got %s of %s with %v", tt.name, first.Body, first.Type, first.Attributes)
		}
		for _, state := range []store.BodyState{store.BodyUndecided, store.BodyUnsent} {
			c := newClaim()
			c.BodyState = state
			m := tt.r.Sent(c)
			if m.State.HasOverride() == strings.HasPrefix(tt.name, "usual") {
				t.Errorf("%s: the mark is %+v", tt.name, m)
			}
			if m.State != store.BodyUndecided { // as a store does
				c.BodyState, c.BodyOverride = m.State, m.Override
			}
			c.Attempt++
			c.Subscription.Fields = []string{"other"}
			r, ok, err := content.Decided(c)
			if err != nil || !ok {
				t.Fatalf("%s after state %d: not decided by %+v, %v", tt.name, state, m, err)
			}
			again, err := r.Make(c)
			if err != nil || !reflect.DeepEqual(first, again) {
				t.Errorf("%s after state %d: first %+v, then %+v, %v", tt.name, state, first, again, err)
			}
			if m := content.Unsent(c); m.State != store.BodyUndecided {
				t.Errorf("%s after state %d: an attempt without a request leaves %+v", tt.name, state, m)
			}
		}
	}
}

// A mark has no payload, unless the host has made another body; and it shares no memory.
func TestMarkIsSmall(t *testing.T) {
	r := content.Recipe{Fields: []string{"vip"}, Event: format(cloudevents.Structured)}
	if m := r.Sent(newClaim()); bytes.Contains(m.Override, []byte("true")) || len(m.Override) > 120 {
		t.Errorf("the mark is %q", m.Override)
	}
	own := []byte("own")
	m := (&content.Recipe{Own: own}).Sent(newClaim())
	own[0] = 'x'
	if !bytes.HasSuffix(m.Override, []byte("own")) {
		t.Errorf("the mark has changed with the host's body: %q", m.Override)
	}
}

// Which attempts are the first that decides.
func TestDecided(t *testing.T) {
	for _, tt := range []struct {
		state   store.BodyState
		attempt int
		want    bool
		unsent  store.BodyState // of an attempt that makes no request
	}{
		{store.BodyUndecided, 1, false, store.BodyUnsent},
		{store.BodyUndecided, 2, true, store.BodyUndecided},
		{store.BodyUnsent, 1, false, store.BodyUnsent},
		{store.BodyUnsent, 9, false, store.BodyUnsent},
		{store.BodyUnchanged, 1, true, store.BodyUndecided},
		{store.BodyUnchanged, 2, true, store.BodyUndecided},
		{store.BodyOverridden, 1, true, store.BodyUndecided},
	} {
		c := newClaim()
		c.BodyState, c.Attempt = tt.state, tt.attempt
		if got, m := content.IsDecided(c), content.Unsent(c); got != tt.want || m.State != tt.unsent {
			t.Errorf("state %d, attempt %d: decided %v, and %d of an attempt without a request; "+
				"want %v, %d", tt.state, tt.attempt, got, m.State, tt.want, tt.unsent)
		}
	}
}

// What is stored and cannot be used is refused, and not sent in another form.
func TestMarksThatAreNotRead(t *testing.T) {
	own := string((&content.Recipe{Own: []byte("own")}).Sent(newClaim()).Override)
	for name, override := range map[string]string{
		"nothing":           "",
		"a later version":   "\x02" + own[1:],
		"no length":         "\x01",
		"a length too long": "\x01\x7f{}",
		"no JSON":           "\x01\x01{",
		"JSON twice":        "\x01\x04{}{}",
		"a later name":      "\x01\x0b{\"later\":1}",
		"a body too many":   "\x01\x02{}body",
		"no source":         "\x01\x0a{\"mode\":2}",
		"a mode of later":   "\x01\x18{\"mode\":3,\"source\":\"/a\"}",
		"a line break":      "\x01\x22{\"type\":\"text/x\\r\\nX-Forged: yes\"}",
	} {
		c := newClaim()
		c.BodyState, c.BodyOverride = store.BodyOverridden, []byte(override)
		if r, ok, err := content.Decided(c); err != content.ErrMark || !ok {
			t.Errorf("%s: got %+v, %v, %v, want ErrMark", name, r, ok, err)
		}
	}
}

// What is stored of an event or of fields and cannot be read is an error.
func TestMakeOfWhatIsDamaged(t *testing.T) {
	for name, tt := range map[string]struct {
		r    content.Recipe
		body string
		want error
	}{
		"no payload": {content.Recipe{Fields: []string{"a"}}, "{}", content.ErrBody},
		"a payload that stops": {content.Recipe{Fields: []string{"a"}}, event[:70] + "}",
			content.ErrBody},
		"no path": {content.Recipe{Fields: []string{"$a"}}, event, content.ErrFields},
		"no payload for a CloudEvent": {content.Recipe{Event: format(cloudevents.Binary)}, "{}",
			content.ErrBody},
		"nothing that is needed": {content.Recipe{Own: []byte{}, Event: format(cloudevents.Binary)},
			"{}", nil},
		"a body that is sent as it is": {content.Recipe{}, "{", nil},
	} {
		c := newClaim()
		c.Body = []byte(tt.body)
		if _, err := tt.r.Make(c); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

// Any bytes as a mark are refused or read, and then the mark of what they say says the same.
// Nothing in it ends a header.
func FuzzMark(f *testing.F) {
	for _, tt := range recipes {
		f.Add(tt.r.Sent(newClaim()).Override)
	}
	f.Fuzz(func(t *testing.T, override []byte) {
		c := newClaim()
		c.BodyState, c.BodyOverride = store.BodyOverridden, override
		r, _, err := content.Decided(c)
		if err != nil {
			return
		}
		first, err := r.Make(c)
		if err != nil {
			return // fields that are not paths
		}
		for name, values := range first.Attributes {
			if http.CanonicalHeaderKey(name) != name || strings.ContainsAny(values[0], "\r\n") {
				t.Errorf("%q makes the header %q: %q", override, name, values)
			}
		}
		c.BodyState, c.BodyOverride = store.BodyUnsent, nil
		m := r.Sent(c)
		c.BodyState, c.BodyOverride = m.State, m.Override
		r, _, err = content.Decided(c)
		if err != nil {
			t.Fatalf("%q: its mark %q is not read: %v", override, m.Override, err)
		}
		again, err := r.Make(c)
		if err != nil || !reflect.DeepEqual(first, again) {
			t.Errorf("%q: first %+v, then %+v, %v", override, first, again, err)
		}
	})
}

// TestUnknownStateIsNoContent has a state of a later version: the whole event must not be sent in
// place of what that means.
func TestUnknownStateIsNoContent(t *testing.T) {
	c := &store.Claim{Attempt: 2, BodyState: store.BodyUnsent + 1}
	if r, ok, err := content.Decided(c); !errors.Is(err, content.ErrMark) {
		t.Errorf("got %+v, %t, %v, want ErrMark", r, ok, err)
	}
}
