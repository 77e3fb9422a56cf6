package console

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

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

	maxTestBody = 1024 // of an answer in a cookie, whose bound is 4,096 bytes
)

// testResult is what came of a test.
type testResult struct {
	ID       string
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
func (q *request) rememberTest(id string, a *store.Attempt) {
	t := testResult{ID: id, At: a.At, Status: a.Status, Duration: a.Duration}
	t.Error, _ = text.Cut(a.Error, 512)
	if q.access.May.Payloads() {
		t.Body, _ = text.Cut(string(a.Response), maxTestBody)
	}
	value, err := json.Marshal(t)
	if err != nil {
		return // never: it has only what JSON has
	}
	q.flash(testCookie, base64.RawURLEncoding.EncodeToString(value))
}

// readTest returns the result of the last test of a webhook, once; nil if there is none.
func (q *request) readTest(id string) *testResult {
	value := q.takeFlash(testCookie)
	text, err := base64.RawURLEncoding.DecodeString(value)
	var t testResult
	if err != nil || json.Unmarshal(text, &t) != nil || t.ID != id {
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
// no key: it is a proof that is signed with it. So whoever could write one knows the key already,
// and a key that is older than the last action can't be read back by anybody.
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

// flash sets a cookie for the next page.
func (q *request) flash(name, value string) {
	q.setCookie(q.header, &http.Cookie{Name: name, Value: value, Secure: q.r.TLS != nil,
		MaxAge: int(flashAge / time.Second)})
}

// takeFlash returns the value of a cookie, and removes it.
func (q *request) takeFlash(name string) string {
	cookie, err := q.r.Cookie(name)
	if err != nil {
		return ""
	}
	q.setCookie(q.header, &http.Cookie{Name: name, Secure: q.r.TLS != nil, MaxAge: -1})
	return cookie.Value
}
