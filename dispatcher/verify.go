package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/verify"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// TypeChallenge is the type of the event that VerifyChallenge sends. Its payload is
// {"id":"<the subscription's ID>","challenge":"<random>"}.
const TypeChallenge = "webhook.challenge"

// VerifyMethod is how endpoints prove that they want deliveries.
type VerifyMethod int

const (
	// VerifyNone asks for no proof.
	VerifyNone = VerifyMethod(verify.None)

	// VerifyChallenge posts a signed event of type TypeChallenge, with the subscription's headers and
	// the host's Transform, but without its Fields, and never as a CloudEvent. The endpoint agrees by
	// a success whose body is the challenge, as plain text or as {"challenge":"…"}. An answer that
	// repeats the request's body does not count. A receiver gets the challenge by signing.Challenge.
	VerifyChallenge = VerifyMethod(verify.Challenge)

	// VerifyHandshake sends the OPTIONS request of HTTP 1.1 Web Hooks for Event Delivery (section 4;
	// part of CloudEvents 1.0.2). The endpoint agrees by an answer that allows Origin. A rate that the
	// answer allows becomes the AllowedRate of the subscription; the lower of it and the owner's Rate
	// applies, even if Options.OwnerMay lets owners set no rate. Each delivery then has the header
	// WebHook-Request-Origin.
	VerifyHandshake = VerifyMethod(verify.Handshake)
)

// Verification says what endpoints must prove; see Options.Verify.
type Verification struct {
	Method VerifyMethod

	// All other fields are for VerifyHandshake. Origin is the DNS name of the host; it is required.
	// Rate is how many deliveries a minute the host asks for; if zero, it asks for no rate.
	Origin string
	Rate   int

	// Callback is the https URL, without a query, at which this host serves httpapi.Granted. An
	// endpoint can agree by a call of it within a day after it was asked. CallbackKey signs the
	// query of that call, and must be the same in all processes of the host. If empty, endpoints can
	// agree in their answers only.
	Callback    string
	CallbackKey signing.Secret
}

// Verify asks the endpoint of a subscription now whether it wants deliveries, as Options.Verify
// says. If it agrees, Attempt.Error is empty, VerifiedAt is now, and an Unverified subscription is
// Subscribed: what has collected is delivered, few at a time at first. Run asks by itself when a
// subscription becomes Unverified in its process, and again after 10 seconds, a minute and 10
// minutes; a request that a quota puts off is not one of these. Verify works without Run.
//
// Each request counts as a ping in the quotas (see Ping). In addition, one host on any port gets at
// most 30 a minute from each process, of all tenants together; beyond that Verify returns a
// *QuotaError. It returns an *events.InvalidError if Options.Verify is zero or the subscription has
// no URL, store.ErrConflict if the URL was changed meanwhile, and otherwise the errors of Ping.
func (d *Dispatcher) Verify(ctx context.Context, id string) (store.Attempt, error) {
	return d.proofs.Verify(ctx, id)
}

// Granted records that an endpoint has agreed by calling Verification.Callback: id and key are from
// the query of that call, and rate is its header WebHook-Allowed-Rate, which may be empty. Use the
// handler of package httpapi rather than this. It returns store.ErrNotFound if id and key are not
// from a request of this host, store.ErrConflict if the URL was changed meanwhile, and otherwise an
// error of the store.
func (d *Dispatcher) Granted(ctx context.Context, id, key, rate string) error {
	return d.proofs.Granted(ctx, id, key, rate)
}

// options returns the options as package verify has them.
func (v *Verification) options() verify.Options {
	return verify.Options{
		Method: verify.Method(v.Method), Origin: v.Origin, Rate: v.Rate, Callback: v.Callback,
		CallbackKey: v.CallbackKey,
	}
}

// setsRate reports whether endpoints may say how many deliveries they allow.
func (v *Verification) setsRate() bool { return v.Method == VerifyHandshake }
