package send

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/store"
)

// Detail says of which attempts a [store.AttemptDetail] is kept.
type Detail int

const (
	DetailOfFailures Detail = iota
	DetailOfAll
	DetailOfNone
)

// wants reports whether the detail of an attempt is kept.
func (d Detail) wants(a *store.Attempt) bool {
	return d == DetailOfAll || d == DetailOfFailures && a.Error != ""
}

// detailOf returns the detail of an attempt that has ended. answer is nil if there was none.
func detailOf(
	phases *h1.Phases, hidden, secrets []string, req *http.Request, answer http.Header,
) *store.AttemptDetail {
	took := phases.Took()
	d := &store.AttemptDetail{
		Reused: took.Reused, DNS: took.DNS, Connect: took.Connect, TLS: took.TLS,
		FirstByte: took.FirstByte,
	}
	if len(took.Remote) <= store.MaxRemoteAddress { // a host's transport may say anything
		d.RemoteAddress = took.Remote
	}
	d.Request, d.RequestCut = fields(req.Header, func(name, value string) string {
		if slices.Contains(hidden, name) {
			return store.Masked
		}
		return value
	})
	d.Answer, d.AnswerCut = fields(answer, func(name, value string) string {
		if name == "Set-Cookie" {
			return store.Masked
		}
		for _, secret := range secrets { // the endpoint may repeat what it got
			value = strings.ReplaceAll(value, secret, store.Masked)
		}
		return value
	})
	return d
}

// hiddenHeaders returns the names of the headers of an attempt whose values may be credentials:
// those of the subscription, of Authenticate, of Transform and of Sign, which may set a token of
// the host's, and the callback of a handshake. The sender's own others, with its signatures, are
// not.
func hiddenHeaders(c *store.Claim, m *message) []string {
	hidden := []string{"Authorization", "Cookie", HeaderRequestCallback}
	for name := range c.Subscription.Headers {
		hidden = append(hidden, http.CanonicalHeaderKey(name))
	}
	for _, set := range [...]http.Header{m.signed, m.header, m.auth, m.rejected} {
		for name := range set {
			hidden = append(hidden, http.CanonicalHeaderKey(name))
		}
	}
	return hidden
}

// minSecret is how many bytes a value has at least that is looked for in answers: shorter ones,
// such as "1", are in many.
const minSecret = 6

// secretsIn returns the values of hidden headers and of those that the endpoint has rejected, the
// key of a callback, and the query of the URL with its values, the longest first: what is a part of
// another must not leave the rest of it.
func secretsIn(req *http.Request, rejected http.Header, hidden []string) (secrets []string) {
	add := func(values ...string) {
		for _, value := range values {
			if len(value) >= minSecret {
				secrets = append(secrets, value)
			}
		}
	}
	addHeader := func(values []string) {
		for _, value := range values {
			_, token, _ := strings.Cut(value, " ") // of "Bearer x" it may repeat the token alone
			add(value, token)
		}
	}
	for _, name := range hidden {
		addHeader(req.Header[name])
	}
	for _, values := range rejected { // an endpoint may repeat what it got before
		addHeader(values)
	}
	// An endpoint may take the callback apart before it repeats it.
	if callback, err := url.Parse(req.Header.Get(HeaderRequestCallback)); err == nil {
		add(callback.RawQuery, callback.Query().Get(callbackKey))
	}
	if req.URL.RawQuery != "" {
		add(req.URL.RawQuery)
		for _, values := range req.URL.Query() {
			add(values...)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

// maskBody masks secrets in what is kept of an answer's body. Its end may be in the middle of one,
// as it was cut: as much of a secret as is there is masked too.
func maskBody(body []byte, secrets []string) []byte {
	if len(body) < minSecret {
		return body
	}
	for _, secret := range secrets {
		if bytes.Contains(body, []byte(secret)) {
			body = bytes.ReplaceAll(body, []byte(secret), []byte(store.Masked))
		}
	}
	for _, secret := range secrets {
		for n := min(len(secret)-1, len(body)); n >= minSecret; n-- {
			if bytes.HasSuffix(body, []byte(secret[:n])) {
				return append(body[:len(body)-n], store.Masked...)
			}
		}
	}
	return body
}

// fields returns headers in the order of their names, as far as there is room for them, and whether
// there are more. shown returns a value as it is to be kept.
func fields(
	h http.Header, shown func(name, value string) string,
) (all []store.HeaderField, cut bool) {
	room := store.MaxDetailHeaders
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			f := store.HeaderField{Name: plain(name), Value: plain(shown(name, value))}
			if room -= f.Size(); room >= 0 {
				all = append(all, f)
				continue
			}
			// The first that does not fit is cut, unless nothing would be left of its value.
			f.Value = strings.ToValidUTF8(f.Value[:max(len(f.Value)+room, 0)], "")
			if f.Value != "" {
				all = append(all, f)
			}
			return all, true
		}
	}
	return all, false
}

// plain returns a text of an endpoint without what is no UTF-8, or ends a line.
func plain(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsAny(s, "\r\n\x00") {
		return s
	}
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
}
