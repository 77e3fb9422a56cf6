package dispatcher_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// What the tests of policies and of proofs have in common.

// challenged are options that ask for a proof by a challenge.
func challenged() *dispatcher.Options {
	return &dispatcher.Options{
		Verify:          dispatcher.Verification{Method: dispatcher.VerifyChallenge},
		PerSubscription: 1, // so that the order can be seen
	}
}

// origin is whom a handshake is for.
const origin = "events.example.com"

// shaken are options that ask for a proof by a handshake, and for a rate unless it is zero.
func shaken(perMinute int) *dispatcher.Options {
	return &dispatcher.Options{Verify: dispatcher.Verification{
		Method: dispatcher.VerifyHandshake, Origin: origin, Rate: perMinute,
	}}
}

// shakenLater is shaken for endpoints that may agree later.
func shakenLater() *dispatcher.Options {
	o := shaken(0)
	o.Verify.Callback = "https://app.example/webhooks.granted"
	o.Verify.CallbackKey = signing.NewSecret()
	return o
}

// agrees answers a challenge as an endpoint that wants deliveries, and all else with 200.
func agrees(r request) reply {
	challenge, _ := signing.Challenge([]byte(r.Body))
	return reply{Status: 200, Body: challenge}
}

// shakes answers a handshake with a status and headers, and all else with 200.
func shakes(status int, header http.Header) func(request) reply {
	return func(r request) reply {
		if isChallenge(r) {
			return reply{Status: status, Header: header}
		}
		return reply{Status: 200}
	}
}

// allows are the headers by which an endpoint agrees to a rate.
func allows(perMinute string) http.Header {
	return http.Header{"Webhook-Allowed-Origin": {"*"}, "Webhook-Allowed-Rate": {perMinute}}
}

// isChallenge reports whether a request asks for proof.
func isChallenge(r request) bool {
	return strings.Contains(r.Body, dispatcher.TypeChallenge) || r.Method == http.MethodOptions
}

// asked counts the requests for proof and the others that a URL has seen.
func (e *engine) asked(url string) (asked, others int) {
	for _, r := range e.seen(url) {
		if isChallenge(r) {
			asked++
		} else {
			others++
		}
	}
	return asked, others
}

// proves has a subscription's endpoint asked, which must agree.
func (e *engine) proves(id string) store.Subscription {
	e.t.Helper()
	if a, err := e.Verify(e.t.Context(), id); err != nil || a.Error != "" {
		e.t.Fatalf("Verify: got %+v, %v; want a proof", a, err)
	}
	return e.statusOf(id)
}

// statusOf returns a subscription as it is stored.
func (e *engine) statusOf(id string) store.Subscription {
	e.t.Helper()
	return e.must(e.Subscription(e.t.Context(), id))
}

// change changes a subscription, which must be allowed.
func (e *engine) change(id string, change func(*store.Subscription)) store.Subscription {
	e.t.Helper()
	return e.must(e.Update(e.t.Context(), id, func(s *store.Subscription) error {
		change(s)
		return nil
	}))
}

// keepsHalfARate publishes much to one subscription, which has a rate of one attempt in two
// seconds.
func (e *engine) keepsHalfARate(t *testing.T) {
	t.Helper()
	before := len(e.seen(""))
	for i := range 20 {
		e.publish("order.created", i)
	}
	pass(10*time.Second + 100*time.Millisecond)
	rs := e.seen("")[before:]
	checkRate(t, rs, 0.5, 1, 0)
	if len(rs) < 5 {
		t.Errorf("%d requests in ten seconds, want one every two", len(rs))
	}
}
