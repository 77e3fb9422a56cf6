package send

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// The most that is read of an answer, in bytes.
const (
	maxResponseHeader = 64 << 10
	maxResponseBody   = 64 << 10
)

// maxRetryAfter is the longest that an endpoint can put off a retry. Without a bound, one that
// answers with a date in the next century would hold its deliveries for ever.
const maxRetryAfter = 24 * time.Hour

// read puts an answer into a result. The status decides the attempt: what goes wrong with the body
// changes nothing. So many bytes of it are kept.
func (s *Sender) read(
	ctx context.Context, res *http.Response, p *Policy, r *Result, kept int,
) {
	if res.Body == nil { // Options.Transport may leave it out, and answer all with the same one
		with := *res
		with.Body, res = http.NoBody, &with
	}
	defer res.Body.Close()
	if res.StatusCode < 100 || res.StatusCode > store.MaxStatus {
		r.Attempt.Error = describe(errStatus)
		return
	}
	r.Attempt.Status = res.StatusCode
	// The host's Success decides before anything else: a host may take a 410 for a success.
	if p.Success(res.StatusCode) {
		r.Kind = KindDelivered
	} else {
		r.Attempt.Error = describeStatus(res.StatusCode)
		r.Kind, r.RetryAfter = kindOf(res.StatusCode, res.Header, time.Now())
		r.Final = r.Kind == KindRefused && p.Final != nil && p.Final(res.StatusCode)
	}
	r.Attempt.Response = readAnswer(ctx, res, kept)
}

// readAnswer returns the beginning of the body of an answer, and reads on as readBody does.
func readAnswer(ctx context.Context, res *http.Response, most int) []byte {
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols:
		return nil // net/http's body is the connection itself, from which reads have no deadline
	case res.ProtoMajor >= 2:
		// While net/http still writes the request's body, it does not see the deadline once an
		// answer has begun.
		stop := context.AfterFunc(ctx, func() { res.Body.Close() })
		defer stop()
	}
	return readBody(res.Body, most)
}

// beginnings are buffers for the beginning of a response body. Most answers have a few bytes or
// none, so that what is kept of them is copied out, and the buffer serves the next attempt.
var beginnings = sync.Pool{New: func() any { return new([store.MaxResponse]byte) }}

// readBody returns the beginning of a body, at most so many bytes, and reads on to its end or
// maxResponseBody, so that the connection can be used again.
func readBody(body io.Reader, most int) []byte {
	if body == http.NoBody {
		return nil
	}
	buf := beginnings.Get().(*[store.MaxResponse]byte)
	defer beginnings.Put(buf)
	n, err := io.ReadFull(body, buf[:most])
	if err == nil {
		// One byte more than is allowed: only a read past the last byte says that it was the last.
		io.CopyN(io.Discard, body, maxResponseBody-int64(n)+1)
	}
	if n == 0 {
		return nil
	}
	return bytes.Clone(buf[:n])
}

// describeStatus puts an answer that is no success into words: the status and its standard name,
// never the reason phrase that the endpoint sent. For an owner whose endpoint redirects, say from
// http to https, it adds why that does not help.
func describeStatus(status int) string {
	text := fmt.Sprintf("%s: %d", ClassHTTPStatus, status)
	if name := http.StatusText(status); name != "" {
		text += " " + name
	}
	if status >= 300 && status <= 399 {
		text += "; redirects are not followed"
	}
	return text
}

// throttled reports whether an answer asks to be left alone, and for how long: a 429, or a 503
// whose Retry-After can be read. A 503 without one is what a balancer says of a dead endpoint. wait
// is zero if the answer does not say how long.
func throttled(status int, h http.Header, now time.Time) (wait time.Duration, is bool) {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0, false
	}
	wait, given := retryAfter(h, now)
	return wait, given || status == http.StatusTooManyRequests
}

// retryAfter reads a Retry-After: seconds, or a date (RFC 9110, 10.2.3). It is at most
// maxRetryAfter; given is false if there is none, or it makes no sense.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, given bool) {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0, false
	}
	if strings.Trim(v, "0123456789") == "" {
		seconds, err := strconv.Atoi(v)
		if err != nil || seconds > int(maxRetryAfter/time.Second) { // err: more than an int holds
			return maxRetryAfter, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	// A date in the past is no error: the clocks may differ, and the answer may have been slow.
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}
