// Package flash passes the result of an action to the page that is shown after it. It uses cookies
// of the console's folder that last for two minutes, so any replica of the host can show the result
// and none has to remember it.
package flash

import (
	"net/http"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/link"
	"github.com/outhook/outhook/signing"
)

const (
	testCookie = "console-test"
	keyCookie  = "console-key"

	// Age is how long a cookie of a Jar lasts.
	Age = 2 * time.Minute
)

// Jar is the cookies of one request, and those of its answer.
type Jar struct {
	Request *http.Request
	Header  http.Header // of the answer
	Framed  bool        // pages of other sites may show the console in a frame
}

// Set sends a cookie to this folder of the browser's alone: without a Path it is that of the URL
// that the browser has, which a proxy may hide from here.
func (j *Jar) Set(cookie *http.Cookie) {
	cookie.HttpOnly = true
	cookie.SameSite = http.SameSiteLaxMode
	if j.Framed { // in a frame of another site, only such cookies are sent
		cookie.Secure, cookie.Partitioned = true, true
		cookie.SameSite = http.SameSiteNoneMode
	}
	j.Header.Add("Set-Cookie", cookie.String())
}

// secure reports whether the browser has come by TLS, here or at a proxy: browsers send
// Sec-Fetch-Site by TLS alone, and to their own machine, from which they take such cookies too.
func (j *Jar) secure() bool {
	return j.Request.TLS != nil || j.Request.Header.Get("Sec-Fetch-Site") != ""
}

// pass sets a cookie for the next page.
func (j *Jar) pass(name, value string) {
	j.Set(&http.Cookie{Name: name, Value: value, Secure: j.secure(), MaxAge: int(Age / time.Second)})
}

// take returns the value of a cookie, and removes it.
func (j *Jar) take(name string) string {
	cookie, err := j.Request.Cookie(name)
	if err != nil {
		return ""
	}
	j.Set(&http.Cookie{Name: name, Secure: j.secure(), MaxAge: -1})
	return cookie.Value
}

// keyPurpose is what the proof for the page of a key is signed for.
const keyPurpose = "console: show the key"

// PassKey lets this browser see a key of a webhook once, on the next page. The cookie is no key: it
// is a proof that is signed with it. So anybody who could write one knows the key already, and a
// key that is older than the last action can't be read back by anybody.
func (j *Jar) PassKey(id string, key signing.Secret) {
	if key != "" {
		j.pass(keyCookie, link.Sign([]byte(key), keyPurpose, id, time.Now().Add(Age)))
	}
}

// TakeKey reports whether this browser has the proof for a key of a webhook, and uses it up.
func (j *Jar) TakeKey(id string, key signing.Secret) bool {
	proof := j.take(keyCookie)
	of, err := link.Open([][]byte{[]byte(key)}, keyPurpose, proof, time.Now())
	return err == nil && of == id
}
