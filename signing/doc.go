// Package signing signs webhook deliveries, and lets receivers check which sender they are from. It
// stands alone: a receiver imports it without the rest of outhook, and can verify deliveries of
// Airy, and of any sender that follows Standard Webhooks, in the same way.
//
// A delivery for a subscription with a key carries two signatures of its body's exact bytes:
//
//   - X-Airy-Content-Signature, made by Airy: HMAC-SHA256 of the body in hexadecimal, as in Airy's
//     webhooks.
//   - webhook-signature, made by Standard: HMAC-SHA256 of the event's id, the attempt's time and
//     the body, as in Standard Webhooks 1.0.0 (https://www.standardwebhooks.com). Because id and
//     time are signed, a delivery can't be sent again later or under another id, and several keys
//     may sign while one replaces another.
//
// A Secret is a key. It prints and marshals as "[redacted]", so it can't get into a log by
// accident. NewSecret makes one in the form that Standard Webhooks libraries of all languages take.
//
// A receiver wraps its handler with a Verifier, which answers 401 in place of the handler if no
// signature is valid:
//
//	v := signing.Verifier{Keys: []signing.Secret{key}}
//	mux.Handle("POST /webhook", v.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		body, _ := io.ReadAll(r.Body) // the verified bytes
//		if alreadySeen(r.Header.Get(signing.HeaderID)) {
//			return // a repeated delivery: answer 200 again
//		}
//		…
//	})))
//
// What it promises: a nil error from Verify means that the body was signed with one of the
// Verifier's keys, and when webhook-signature was there also the id and a time close to now. A
// Verifier without keys verifies nothing. No error contains a key or the right signature.
//
// What it can't promise: that a delivery arrives only once (the sender repeats one if it did not
// get the answer; recognize repetitions by webhook-id), or that a delivery with an Airy signature
// alone is new (see Verifier.RequireStandard).
//
// All functions and methods are safe for concurrent use.
package signing
