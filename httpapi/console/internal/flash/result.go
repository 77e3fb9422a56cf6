package flash

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

const (
	maxBody   = 1024 // of an answer in a cookie
	maxCookie = 3500 // bytes of a value; browsers drop a cookie of more than 4,096 with its name
)

// Test is how a test of a webhook has ended.
type Test struct {
	ID       string // of the webhook
	Type     string // whose example was sent; empty for a ping
	At       time.Time
	Status   int
	Duration time.Duration
	Error    string
	Body     string
}

// What a page shows of it.
func (t *Test) OK() bool       { return t.Error == "" }
func (t *Test) Answer() string { return show.Answer(t.Status, t.Error) }
func (t *Test) Advice() string { return show.Advice(t.Status, t.Error) }
func (t *Test) Reason() string { return show.Reason(t.Error) }
func (t *Test) Shown() string {
	shown, _ := text.Body([]byte(t.Body), maxBody)
	return shown
}

// PassTest passes to the next page how a test of a webhook has ended, by the example of a type or
// by a ping. What was answered is for those who may see payloads.
func (j *Jar) PassTest(id, eventType string, a *store.Attempt, payloads bool) {
	t := Test{ID: id, Type: eventType, At: a.At, Status: a.Status, Duration: a.Duration}
	t.Error, _ = text.Cut(a.Error, 512)
	if payloads {
		t.Body, _ = text.Cut(string(a.Response), maxBody)
	}
	value := t.encode()
	if len(value) > maxCookie { // escapes make a text six times as long
		t.Body = ""
		value = t.encode()
	}
	if len(value) > maxCookie { // an empty Error would be a success
		t.Error = cmp.Or(string(dispatcher.ErrorClass(t.Error)), "failed")
		value = t.encode()
	}
	j.pass(testCookie, value)
}

// encode returns t as the value of a cookie.
func (t *Test) encode() string {
	value, err := json.Marshal(t)
	if err != nil {
		return "" // never: it has only what JSON has
	}
	return base64.RawURLEncoding.EncodeToString(value)
}

// TakeTest returns how the last test of a webhook has ended, by the example of a type or by a ping,
// once; nil if there is none.
func (j *Jar) TakeTest(id, eventType string, payloads bool) *Test {
	value, err := base64.RawURLEncoding.DecodeString(j.take(testCookie))
	var t Test
	if err != nil || json.Unmarshal(value, &t) != nil || t.ID != id || t.Type != eventType {
		return nil
	}
	if !payloads {
		t.Body = ""
	}
	return &t
}
