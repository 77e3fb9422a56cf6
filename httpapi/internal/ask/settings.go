package ask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// settings are what few webhooks have. A nil field is missing in the request.
type settings struct {
	description, filter *string
	metadata            *map[string]string
	fields              *[]string
	rate                *float64
	timeout             *time.Duration
}

// maxRate and maxTimeout keep a number from overflowing; the dispatcher has closer bounds.
const (
	maxRate    = 1_000_000
	maxTimeout = 1_000_000 // seconds
)

// readSettings reads the settings of a request. Null and an empty value are none. Whether the host
// has allowed its owner to set them the dispatcher says.
func readSettings(f *Fields) (s settings) {
	s.description = given(f.Text("description"))
	s.metadata = given(f.Dict("metadata"))
	s.filter = given(f.Object("filter"))
	s.fields = given(f.List("fields"))
	s.rate = given(f.Number("rate", maxRate))
	if seconds, ok := f.Number("timeout_seconds", maxTimeout); ok {
		// To the millisecond, so that what is shown is what was given.
		timeout := time.Duration(seconds*1000+0.5) * time.Millisecond
		s.timeout = &timeout
	}
	return s
}

// given returns a field that a request has; nil if it is missing.
func given[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

// apply sets what the request has.
func (s *settings) apply(sub *store.Subscription) {
	set(&sub.Description, s.description)
	set(&sub.Metadata, s.metadata)
	set(&sub.Filter, s.filter)
	set(&sub.Fields, s.fields)
	set(&sub.Rate, s.rate)
	set(&sub.Timeout, s.timeout)
}

// Object reads an object as JSON, compact and with its members in order; ok is false if the field
// is missing. Null, and an object without members, is the empty string.
func (f *Fields) Object(name string) (text string, ok bool) {
	v, ok := f.values[name]
	if v == nil {
		return "", ok
	}
	members, isObject := v.(map[string]any)
	if !isObject {
		f.wrong(name, "an object", v)
		return "", true
	}
	if len(members) == 0 {
		return "", true
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(members); err != nil { // it came from JSON
		panic("ask: an object can't be marshalled: " + err.Error())
	}
	return string(bytes.TrimSpace(b.Bytes())), true
}

// Number reads a number from 0 to most; ok is false if the field is missing. Null is 0.
func (f *Fields) Number(name string, most int) (n float64, ok bool) {
	v, ok := f.values[name]
	if v == nil {
		return 0, ok
	}
	want := fmt.Sprintf("a number from 0 to %d", most)
	number, isNumber := v.(json.Number)
	if !isNumber {
		f.wrong(name, want, v)
		return 0, true
	}
	n, err := number.Float64()
	if err != nil || !(n >= 0 && n <= float64(most)) {
		f.Fail(name, "is out of bounds; give "+want)
		return 0, true
	}
	return n, true
}
