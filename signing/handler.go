package signing

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// DefaultMaxBody is the largest body, in bytes, that Verifier.Handler reads unless Verifier.MaxBody
// says otherwise: 1 MiB, which is outhook's default bound for a payload, and 1 KiB for the rest of
// the body.
const DefaultMaxBody = 1<<20 + 1<<10

// Handler returns a handler that calls next for verified deliveries only. It looks at the headers
// first: without a signature that could be valid, and a timestamp within Tolerance, it reads
// nothing of the body. Then it reads the body whole, at most MaxBody bytes, so next gets what was
// verified: r.Body holds those bytes and r.ContentLength their number. How slowly a body may come
// is for the http.Server's ReadTimeout to say; the timestamp must be within Tolerance when it has
// come, too.
//
// A delivery that was verified by its Airy signature alone is passed on without webhook-id,
// webhook-timestamp and webhook-attempt, because no signature covers them: a forged webhook-id
// could make next take a new event for a repetition.
//
// It answers 401 with the reason if Verify fails, 413 if the body is larger than MaxBody, and 400
// if it can't be read. In these cases it does not call next.
func (v Verifier) Handler(next http.Handler) http.Handler {
	limit := v.MaxBody
	if limit == 0 {
		limit = DefaultMaxBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := v.readHeader(r.Header); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		body, status := readBody(w, r, limit)
		if status != http.StatusOK {
			http.Error(w, http.StatusText(status), status)
			return
		}
		// All of it again, and not only the signature: the body may have taken longer than
		// Tolerance.
		if err := v.Verify(r.Header, body); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, withVerified(r, body))
	})
}

// readBody reads the request's body. A status other than 200 says why it could not.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, status int) {
	if r.ContentLength > limit {
		return nil, http.StatusRequestEntityTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge
	case err != nil:
		return nil, http.StatusBadRequest
	}
	return body, http.StatusOK
}

// withVerified returns r with the verified body, and without headers that no signature covers.
func withVerified(r *http.Request, body []byte) *http.Request {
	r = r.WithContext(r.Context()) // a shallow copy: the caller's request is not ours to change
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.TransferEncoding = nil
	if len(r.Header.Values(HeaderSignature)) == 0 {
		r.Header = r.Header.Clone()
		for _, name := range []string{HeaderID, HeaderTimestamp, HeaderAttempt} {
			r.Header.Del(name)
		}
	}
	return r
}
