package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/outhook/outhook/events"
)

// FuzzPattern: validation never panics, and for what it takes Match agrees with Patterns.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"message.*", "message.created"}, {"message.*", "message"}, {"a.b.*", "a.b.c.d"}, {"*", "a"},
		{".*", "."},
		{"a..*", "a..b"}, {"a.*", "a.b."}, {"größe.*", "größe.x"}, {"", ""}, {"a.**", "a.*"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, eventType string) {
		// must not panic on anything
		matches, all := events.Match(pattern, eventType), events.Patterns(eventType)
		if events.ValidateType(eventType) != nil {
			return
		}
		if events.ValidatePattern(pattern) == nil && matches != slices.Contains(all, pattern) {
			t.Errorf("Match(%q, %q) = %t, but Patterns has %q", pattern, eventType, matches, all)
		}
		checkPattern(t, eventType, eventType)
	})
}

// FuzzBody: any payload is either an InvalidError or in a body that means the same, token by token:
// the same keys in the same order, numbers spelt the same.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"b":1.0,"a":[1e2,-0,"<\u2028>"],"b":null}`, " [ ] ", `"\ud800"`, "\"\u2028\"", "1", "{", "",
		" ", "\xff", "\"\xff\"", "[[[]]]", "1 2", "\ufeff1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		e := valid()
		e.Payload = bytes.Clone(payload)
		body, err := e.Body()
		if validErr := e.Validate(); (err == nil) != (validErr == nil) {
			t.Fatalf("Body: %v, but Validate: %v", err, validErr)
		}
		if !bytes.Equal(e.Payload, payload) {
			t.Fatal("the payload was changed")
		}
		if err != nil {
			if invalid := new(events.InvalidError); !errors.As(err, &invalid) || invalid.Field != "payload" {
				t.Fatalf("error %v, want an InvalidError that names payload", err)
			}
			if json.Valid(payload) && utf8.Valid(payload) {
				t.Fatalf("error %v for valid JSON", err)
			}
			return
		}
		var envelope struct {
			Type      string
			Timestamp int64
			Payload   json.RawMessage
		}
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&envelope); err != nil || dec.More() {
			t.Fatalf("body %s: %v", body, err)
		}
		if envelope.Type != e.Type || envelope.Timestamp != e.Time.UnixMilli() {
			t.Fatalf("body %s has another type or time", body)
		}
		if got, want := tokens(t, envelope.Payload), tokens(t, payload); got != want {
			t.Fatalf("payload\n%s has tokens\n%s, want\n%s", envelope.Payload, got, want)
		}
	})
}

// tokens is raw without white space between tokens, written by another road than Body's: the tokens
// as they are spelt.
func tokens(t *testing.T, raw []byte) string {
	t.Helper()
	var out []byte
	inString, escaped := false, false
	for _, c := range raw {
		if !inString && (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			continue
		}
		out = append(out, c)
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		}
	}
	dec := json.NewDecoder(bytes.NewReader(out)) // still the same values
	dec.UseNumber()
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return string(out)
		} else if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
	}
}
