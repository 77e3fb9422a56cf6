package ask

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// isoTime is the form of a time. time.Parse alone accepts others, such as an hour of one digit and
// an offset of 24 hours, and the OpenAPI description promises exactly this one.
var isoTime = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])` +
	`T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// Time reads a time in ISO 8601, as RFC 3339 writes it. Null and an empty string are none.
func (f *Fields) Time(name string) time.Time {
	s, _ := f.Text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !isoTime.MatchString(s) {
		f.Fail(name, "is not a time in ISO 8601; write it like 2020-10-25T21:24:54.560Z")
	}
	return t
}

// States reads one state of deliveries, or a list of them. Null, an empty string and an empty list
// are none, which selects all states.
func (f *Fields) States(name string) []store.State { return choices(f, name, store.States()) }

// Statuses is States for the statuses of webhooks.
func (f *Fields) Statuses(name string) []store.Status { return choices(f, name, store.Statuses()) }

// choices reads one of the words of all, or a list of them.
func choices[T ~string](f *Fields, name string, all []T) []T {
	var words []string
	switch v := f.values[name].(type) {
	case nil:
	case string:
		if v != "" {
			words = []string{v}
		}
	case []any:
		words, _ = f.List(name)
	default:
		f.wrong(name, "a string or a list of strings", v)
	}
	if len(words) == 0 {
		return nil
	}
	out := make([]T, len(words))
	for i, word := range words {
		out[i] = T(word)
		if !slices.Contains(all, out[i]) {
			f.Fail(name, "is none of "+enumerate(all)+"; give one of these, or a list of them")
		}
	}
	return out
}

// choice reads one of the words of all. Null and an empty string are none.
func choice[T ~string](f *Fields, name string, all []T) T {
	word, _ := f.Text(name)
	if word != "" && !slices.Contains(all, T(word)) {
		f.Fail(name, "is none of "+enumerate(all)+"; give one of these")
	}
	return T(word)
}

// StatusRange reads an HTTP status, as a number or a string, or a class of statuses such as "5xx".
// Null and an empty string are none, which is the zero range: it selects any.
func (f *Fields) StatusRange(name string) store.StatusRange {
	text := ""
	switch v := f.values[name].(type) {
	case nil:
	case string:
		text = v
	case json.Number:
		text = string(v)
	default:
		f.wrong(name, `a status such as 503, or a class of them such as "5xx"`, v)
	}
	if text == "" {
		return store.StatusRange{}
	}
	r, ok := ParseStatusRange(text)
	if !ok {
		f.Fail(name, `is no HTTP status; give one from 100 to 999, or a class of them such as "5xx"`)
	}
	return r
}

// statusForm is the form of a status, or of a class of them. It is in the OpenAPI description too.
var statusForm = regexp.MustCompile(`^[1-9]([0-9]{2}|xx)$`)

// ParseStatusRange returns the statuses that text stands for: one from 100 to 999, or with "xx" in
// place of the last two digits a hundred. It returns false for any other text.
func ParseStatusRange(text string) (store.StatusRange, bool) {
	if !statusForm.MatchString(text) {
		return store.StatusRange{}, false
	}
	from, _ := strconv.Atoi(strings.ReplaceAll(text, "x", "0")) // three digits, by the form
	to, _ := strconv.Atoi(strings.ReplaceAll(text, "x", "9"))
	return store.StatusRange{From: from, To: to}, true
}

// enumerate returns words as a sentence has them: "a, b and c".
func enumerate[T ~string](words []T) string {
	text := string(words[0])
	for i, word := range words[1:] {
		if i == len(words)-2 {
			text += " and " + string(word)
		} else {
			text += ", " + string(word)
		}
	}
	return text
}

// CheckEventType fails unless the name can be an event type.
func (f *Fields) CheckEventType(field, name string) {
	if err := events.ValidateType(name); err != nil && f.Err == nil {
		f.Err = InField(field, err)
	}
}

// CheckEventID fails unless the id can be an event's ID. Without this, something else that was sent
// by mistake would look like an event that is not there.
func (f *Fields) CheckEventID(field, id string) {
	other := strings.ContainsFunc(id, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' &&
			c != '-'
	})
	if other || len(id) > 128 {
		f.Fail(field,
			"is no event's id; give the webhook-id of a delivery, at most 128 characters from A-Z, a-z, "+
				"0-9, _ and -")
	}
}

// InField turns an *events.InvalidError into one about a field of the request: the dispatcher calls
// "id" what a request may call "webhook_id". It returns other errors as they are.
func InField(field string, err error) error {
	if invalid := (*events.InvalidError)(nil); errors.As(err, &invalid) {
		return &events.InvalidError{Field: field, Reason: invalid.Reason}
	}
	return err
}
