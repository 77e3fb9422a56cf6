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

	// VerifyChallenge posts an event of type TypeChallenge, signed, by the path that deliveries
	// take, but whole, without the subscription's Fields, and never as a CloudEvent. The answer must
	// be a success whose body is the challenge, as text or as the only member, "challenge", of a
	// JSON object, and not in the form that Transform has sent; signing.Challenge finds it in a
	// request.
	VerifyChallenge = VerifyMethod(verify.Challenge)

	// VerifyHandshake sends the OPTIONS request of HTTP 1.1 Web Hooks for Event Delivery (section 4;
	// part of CloudEvents 1.0.2). The answer must allow Origin, and a rate that it allows becomes
	// the AllowedRate of the subscription: the lower of it and its owner's Rate holds, also where
	// Options.OwnerMay lets owners set none. Each delivery then has the header
	// WebHook-Request-Origin.
	VerifyHandshake = VerifyMethod(verify.Handshake)
)

// Verification says what endpoints must prove; see Options.Verify.
type Verification struct {
	Method VerifyMethod

	// The rest is for VerifyHandshake. Origin is the DNS name that stands for the host; it must be
	// there. Rate is how many deliveries a minute are asked for; if zero, none is said.
	Origin string
	Rate   int

	// Callback is the https URL, without a query, of httpapi.Granted of this host, by which an
	// endpoint can agree within a day after it was asked. CallbackKey signs what stands in its
	// query; all processes of the host need the same. If empty, endpoints agree in their answer.
	Callback    string
	CallbackKey signing.Secret
}

// Verify asks the endpoint of a subscription now whether it wants deliveries, as Options.Verify
// says. If it agrees, Attempt.Error is empty, VerifiedAt is now, and an Unverified subscription is
// Subscribed: what has collected is delivered, by slow start. Run asks by itself when a
// subscription becomes Unverified in its process, and again after 10 seconds, a minute and 10
// minutes; what a quota puts off does not count. Run need not be running for a call.
//
// Each request counts as a ping in the quotas (see Ping), and one host, on any port, gets at most
// 30 a minute from each process, of all tenants together, beyond which it is a *QuotaError. It
// returns an *events.InvalidError if Options.Verify is zero or the subscription has no URL,
// store.ErrConflict if the URL was changed meanwhile, and else errors as Ping does.
func (d *Dispatcher) Verify(ctx context.Context, id string) (store.Attempt, error) {
	return d.proofs.Verify(ctx, id)
}

// Granted records that an endpoint has agreed by Verification.Callback: id and key are those of
// the call's query, and rate is its WebHook-Allowed-Rate, which may be empty. It returns
// store.ErrNotFound if they give no permission, store.ErrConflict if the URL was changed meanwhile,
// and else an error of the store. Package httpapi has the handler.
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
