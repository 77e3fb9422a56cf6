// Package signing signs webhook deliveries, and lets receivers check which sender they are from and
// handle each once. It stands alone: a receiver imports it without the rest of outhook, and can
// verify deliveries of Airy, and of any sender that follows Standard Webhooks, in the same way.
//
// A delivery for a subscription with a key carries two signatures of its body's exact bytes, unless
// the sender has chosen one of them:
//
//   - webhook-signature, made by Standard: HMAC-SHA256 or Ed25519 of the event's id, the attempt's
//     time and the body, as in Standard Webhooks 1.0.0 (https://www.standardwebhooks.com). Because
//     id and time are signed, a delivery can't be sent again later or under another id, and several
//     keys, of both kinds, may sign while one replaces another.
//   - X-Airy-Content-Signature, made by Airy with a symmetric key: HMAC-SHA256 of the body in
//     hexadecimal, as in Airy's webhooks. Anyone who has seen a delivery can send it again with
//     this one.
//
// A Secret is a key. It prints and marshals as "[redacted]", so it can't get into a log by
// accident. NewSecret makes one in the form that Standard Webhooks libraries of all languages take,
// and Secret.Standard gives any other key in that form. NewEd25519Secret makes one of another Kind:
// the sender alone has it, and a receiver verifies with its PublicKey, which can't sign.
//
// A receiver wraps its handler with a Verifier, which answers 401 in place of the handler if no
// signature is valid, and with a Once, which answers 200 in place of the handler to what it has
// handled before:
//
//	v := signing.Verifier{Keys: []signing.Secret{key}}
//	once := &signing.Once{} // in memory; package boltseen remembers over a restart
//	mux.Handle("POST /webhook", v.Handler(once.Handler(http.HandlerFunc(
//		func(w http.ResponseWriter, r *http.Request) {
//			body, _ := io.ReadAll(r.Body) // the verified bytes
//			…
//		}))))
//
// What it promises: a nil error from Verify means that id, time and body were signed with one of
// the Verifier's keys, a short time ago. With Verifier.AllowAiry, which takes deliveries that have
// the Airy signature alone, it means no more than that the body was. A Verifier without keys
// verifies nothing. No error contains a key or the right signature.
//
// What it can't promise: that a delivery is handled exactly once. A Once that has crashed after its
// handler and before it could remember handles it again; see there.
//
// All functions and methods are safe for concurrent use.
package signing
