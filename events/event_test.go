package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
)

// wantInvalid checks that err is an InvalidError with the field and the words.
func wantInvalid(t *testing.T, name string, err error, field, words string) {
	t.Helper()
	var invalid *events.InvalidError
	if !errors.As(err, &invalid) {
		t.Errorf("%s: %v, want an InvalidError", name, err)
		return
	}
	if invalid.Field != field || !strings.Contains(invalid.Reason, words) {
		t.Errorf("%s: field %q, reason %q, want %q and something with %q", name, invalid.Field,
			invalid.Reason, field, words)
	}
	if got, want := err.Error(), invalid.Field+" "+invalid.Reason; got != want {
		t.Errorf("%s: Error() = %q, want %q", name, got, want)
	}
}

type order struct {
	N    int    `json:"n"`
	Note string `json:"note"`
}

func TestNewPayload(t *testing.T) {
	for _, tt := range []struct {
		name    string
		payload any
		want    string
	}{
		{"struct", order{7, "a<b>&c"}, `{"n":7,"note":"a<b>&c"}`},
		{"pointer", &order{7, ""}, `{"n":7,"note":""}`},
		{"map", map[string]int{"b": 1, "a": 2}, `{"a":2,"b":1}`},
		{"string", "x", `"x"`},
		{"number", 1e21, `1e+21`},
		{"false", false, `false`},
		{"nil slice", []int(nil), `null`},
		{"raw", json.RawMessage(` { "b" : 1.10, "a" : 1e2, "b" : "\u00e9<" } `),
			` { "b" : 1.10, "a" : 1e2, "b" : "\u00e9<" } `},
		{"raw null", json.RawMessage(`null`), `null`},
	} {
		e, err := events.New("order.paid", tt.payload)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := string(e.Payload); got != tt.want {
			t.Errorf("%s: payload %s, want %s", tt.name, got, tt.want)
		}
	}
}

type panics struct{ with any }

func (p panics) MarshalJSON() ([]byte, error) { panic(p.with) }

type latin1 struct{}

func (latin1) MarshalJSON() ([]byte, error) { return []byte("\"gr\xfc\xdfe\""), nil }

type fails struct{}

func (fails) MarshalJSON() ([]byte, error) { return nil, errors.New("no luck today") }

func TestNewRefusesPayload(t *testing.T) {
	type ring struct{ Next *ring }
	cycle := new(ring)
	cycle.Next = cycle
	for _, tt := range []struct {
		name    string
		payload any
		words   string
	}{
		{"nil", nil, "missing"},
		{"raw nil", json.RawMessage(nil), "missing"},
		{"raw empty", json.RawMessage{}, "missing"},
		{"raw white space", json.RawMessage(" "), "JSON"},
		{"raw no JSON", json.RawMessage("{"), "JSON"},
		{"raw invalid UTF-8", json.RawMessage("\"\xff\""), "UTF-8"},
		{"raw inside a struct", struct{ R json.RawMessage }{json.RawMessage("nope")}, "marshalled"},
		{"channel", make(chan int), "marshalled"},
		{"func", func() {}, "marshalled"},
		{"cycle", cycle, "cycle"},
		{"no UTF-8", latin1{}, "UTF-8"},
		{"failing", fails{}, "no luck today"},
		{"panicking", panics{"out of luck"}, "out of luck"},
		{"panicking with an error", []any{panics{errors.New("out of luck")}}, "out of luck"},
		{"nil pointer inside", struct{ P *order }{}.P, ""}, // null: a value like any other
	} {
		e, err := events.New("order.paid", tt.payload)
		if tt.words == "" {
			if err != nil || string(e.Payload) != "null" {
				t.Errorf("%s: payload %s, %v, want null", tt.name, e.Payload, err)
			}
			continue
		}
		wantInvalid(t, tt.name, err, "payload", tt.words)
		if e.ID != "" {
			t.Errorf("%s: an event beside the error: %+v", tt.name, e)
		}
	}
}

func TestNewFillsIDAndTime(t *testing.T) {
	v7 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	synctest.Test(t, func(t *testing.T) { // the clock stands still
		<-time.After(1_234_567 * time.Nanosecond)
		a, err := events.New("order.paid", 1)
		if err != nil {
			t.Fatal(err)
		}
		if !v7.MatchString(a.ID) {
			t.Errorf("ID %q is no UUIDv7", a.ID)
		}
		if want := time.Now().UTC().Truncate(time.Millisecond); a.Time != want {
			t.Errorf("time %v, want %v: now, in UTC, whole milliseconds", a.Time, want)
		}
		if a.Type != "order.paid" || a.Tenant != "" || a.Key != "" {
			t.Errorf("event %+v, want type order.paid and no tenant or key", a)
		}
		b, err := events.New("order.paid", 1)
		if err != nil {
			t.Fatal(err)
		}
		if a.ID >= b.ID {
			t.Errorf("IDs %q, %q, want rising", a.ID, b.ID)
		}
	})
}

func TestNewCopiesRawPayload(t *testing.T) {
	raw := json.RawMessage(`{"a":1}`)
	e, err := events.New("order.paid", raw)
	if err != nil {
		t.Fatal(err)
	}
	copy(raw, `{"a":2}`)
	if got, want := string(e.Payload), `{"a":1}`; got != want {
		t.Errorf("payload %s after the caller changed its own, want %s", got, want)
	}
}

func TestNewRefusesType(t *testing.T) {
	_, err := events.New("order..paid", 1)
	wantInvalid(t, "New", err, "type", "empty word")
}

type broken struct{}

func (*broken) EventType() string { return "order.paid" }

type nameless struct{}

func (nameless) EventType() string { panic("no name") }

func (order) EventType() string { return "order.paid" }

func TestFrom(t *testing.T) {
	for _, p := range []events.Payload{order{7, "x"}, &order{7, "x"}} {
		e, err := events.From(p)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := e.Type+string(e.Payload), `order.paid{"n":7,"note":"x"}`; got != want {
			t.Errorf("From(%T) = %s, want %s", p, got, want)
		}
	}
	for _, tt := range []struct {
		name  string
		p     events.Payload
		words string
	}{
		{"nil", nil, "nil"},
		{"nil pointer to a value type", (*order)(nil), "nil"},
		{"nil pointer", (*broken)(nil), "nil"},
		{"nil pointer to an Airy payload", (*events.MessageCreated)(nil), "nil"},
		{"EventType panics", nameless{}, "no name"},
		{"content is no JSON",
			events.MessageCreated{Message: events.Message{Content: json.RawMessage("{")}}, "marshalled"},
		{"year 10000", events.ConversationUpdated{CreatedAt: time.Date(10000, 1, 1, 0, 0, 0, 0,
			time.UTC)}, "year"},
	} {
		_, err := events.From(tt.p)
		wantInvalid(t, tt.name, err, "payload", tt.words)
	}
}

func TestInvalidErrorIsFoundWhenWrapped(t *testing.T) {
	err := fmt.Errorf("publish: %w", events.ValidateType(""))
	wantInvalid(t, "wrapped", errors.Unwrap(err), "type", "empty")
}
