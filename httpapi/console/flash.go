package console

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/link"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// What an action passes to the page after it: in cookies of this folder that last for two minutes,
// so that any replica of the host can show it, and none has to remember it.
const (
	testCookie = "console-test"
	keyCookie  = "console-key"
	flashAge   = 2 * time.Minute

	maxTestBody = 1024 // of an answer in a cookie
	maxCookie   = 3500 // bytes of a value; browsers drop a cookie of more than 4,096 with its name
)

// testResult is what came of a test.
type testResult struct {
	ID       string
	Type     string // whose example was sent; empty for a ping
	At       time.Time
	Status   int
	Duration time.Duration
	Error    string
	Body     string
}

// What the page shows of it.
func (t *testResult) OK() bool       { return t.Error == "" }
func (t *testResult) Answer() string { return show.Answer(t.Status, t.Error) }
func (t *testResult) Advice() string { return show.Advice(t.Status, t.Error) }
func (t *testResult) Reason() string { return show.Reason(t.Error) }
func (t *testResult) Shown() string {
	shown, _ := text.Body([]byte(t.Body), maxTestBody)
	return shown
}

// rememberTest passes the result of a test to the next page.
func (q *request) rememberTest(id, eventType string, a *store.Attempt) {
	t := testResult{ID: id, Type: eventType, At: a.At, Status: a.Status, Duration: a.Duration}
	t.Error, _ = text.Cut(a.Error, 512)
	if q.access.May.Payloads() {
		t.Body, _ = text.Cut(string(a.Response), maxTestBody)
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
	q.flash(testCookie, value)
}

// encode returns t as the value of a cookie.
func (t *testResult) encode() string {
	value, err := json.Marshal(t)
	if err != nil {
		return "" // never: it has only what JSON has
	}
	return base64.RawURLEncoding.EncodeToString(value)
}

// readTest returns the result of the last test of a webhook with the example of a type, or with a
// ping, once; nil if there is none.
func (q *request) readTest(id, eventType string) *testResult {
	value := q.takeFlash(testCookie)
	text, err := base64.RawURLEncoding.DecodeString(value)
	var t testResult
	if err != nil || json.Unmarshal(text, &t) != nil || t.ID != id ||
		t.Type != eventType {
		return nil
	}
	if !q.access.May.Payloads() {
		t.Body = ""
	}
	return &t
}

// keyPurpose is what the proof for the page of a key is signed for.
const keyPurpose = "console: show the key"

// proveKey lets this browser see the newest key of a webhook once, on the next page. The cookie is
// no key: it is a proof that is signed with it. So anybody who could write one knows the key
// already, and a key that is older than the last action can't be read back by anybody.
func (q *request) proveKey(sub *store.Subscription) {
	if key := newestKey(sub); key != "" {
		q.flash(keyCookie,
			link.Sign([]byte(key), keyPurpose, sub.ID, time.Now().Add(flashAge)))
	}
}

// provenKey returns the newest key of a webhook if this browser has the proof for it.
func (q *request) provenKey(sub *store.Subscription) signing.Secret {
	key := newestKey(sub)
	proof := q.takeFlash(keyCookie)
	id, err := link.Open([][]byte{[]byte(key)}, keyPurpose, proof, time.Now())
	if err != nil || id != sub.ID {
		return ""
	}
	return key
}

func newestKey(sub *store.Subscription) signing.Secret {
	if len(sub.Secrets) == 0 || sub.SealedWith != "" {
		return ""
	}
	return sub.Secrets[len(sub.Secrets)-1]
}

// secure reports whether the browser has come by TLS, here or at a proxy: browsers send
// Sec-Fetch-Site by TLS alone, and to their own machine, from which they take such cookies too.
func (q *request) secure() bool {
	return q.r.TLS != nil || q.r.Header.Get("Sec-Fetch-Site") != ""
}

// flash sets a cookie for the next page.
func (q *request) flash(name, value string) {
	q.setCookie(q.header, &http.Cookie{Name: name, Value: value, Secure: q.secure(),
		MaxAge: int(flashAge / time.Second)})
}

// takeFlash returns the value of a cookie, and removes it.
func (q *request) takeFlash(name string) string {
	cookie, err := q.r.Cookie(name)
	if err != nil {
		return ""
	}
	q.setCookie(q.header, &http.Cookie{Name: name, Secure: q.secure(), MaxAge: -1})
	return cookie.Value
}
