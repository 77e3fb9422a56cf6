package dispatcher

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/store"
)

// BreakerThreshold is how many attempts of a subscription must fail in a row to open its breaker. While it is open, the
// subscription gets one probe at a time, at the delays of the backoff; a success closes it.
const BreakerThreshold = 10

// maxRetryAfter is the longest a receiver can put off a retry.
const maxRetryAfter = 24 * time.Hour

// policy is what turns an answer into an outcome.
type policy struct {
	backoff Backoff
}

// outcome decides what follows from an attempt. It does no I/O, and but for the jitter its result depends on nothing else.
func (p policy) outcome(c *store.Claim, a answer) store.Outcome {
	o := store.Outcome{Lease: c.Lease, Attempt: a.attempt}
	o.Attempt.Number = c.Attempt
	switch {
	case a.attempt.Error == "":
		o.State = store.Delivered
		return o
	case a.attempt.Status == http.StatusGone, c.Retry+1 >= p.backoff.MaxAttempts:
		o.State = store.Dead
	default:
		o.State = store.Pending
		o.RetryIn = max(p.backoff.delay(c.Retry+1), a.retryAfter)
	}
	o.Body = a.keep
	if c.Health.Failures+1 >= BreakerThreshold {
		o.HoldFor = max(p.backoff.delay(c.Health.Holds+1), a.retryAfter)
	}
	return o
}

// retryAfter reads how long a 429 or 503 asks to be left alone: seconds, or a date (RFC 9110, 10.2.3). It is zero where
// there is no such wish, or none that makes sense, and maxRetryAfter at most.
func retryAfter(status int, h http.Header, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if strings.Trim(v, "0123456789") == "" {
		seconds, err := strconv.Atoi(v)
		if err != nil || seconds > int(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
