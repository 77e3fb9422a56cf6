package send

import (
	"net/http"
	"time"
)

// Kind says what an attempt says of the endpoint, and of the delivery.
type Kind int

const (
	KindDown      Kind = iota // the endpoint does not work
	KindDelivered             // it took the delivery
	KindGone                  // it wants no more deliveries
	KindRefused               // it is alive and does not want this delivery
	KindThrottled             // it is alive and asks to be left alone for a while
	KindOurs                  // nothing: the attempt failed on the sender's side
)

// kindOf returns what a status says that is no success. wait is how long a throttled answer asks
// for.
func kindOf(status int, h http.Header, now time.Time) (k Kind, wait time.Duration) {
	// First, because a 503 is of either kind: with a Retry-After it speaks for an endpoint that
	// knows when it will be back.
	if wait, is := throttled(status, h, now); is {
		return KindThrottled, wait
	}
	switch status {
	case http.StatusGone:
		return KindGone, 0
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusProxyAuthRequired, http.StatusRequestTimeout:
		// What stands before the endpoint says this, or what is left where it was: it would say so
		// to any delivery.
		return KindDown, 0
	}
	if status >= 400 && status <= 499 {
		return KindRefused, 0
	}
	return KindDown, 0
}
