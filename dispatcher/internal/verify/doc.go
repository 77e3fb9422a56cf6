// Package verify has endpoints prove that they want deliveries, before the first one.
//
// Without a proof, a customer could have the host send requests to anybody. Others ask like this:
// Slack posts a challenge that the answer must repeat (url_verification), Microsoft Graph and Meta
// give a token in the query of a request, X (Twitter) asks for the HMAC of one, and Azure Event
// Grid takes a challenge or the handshake of CloudEvents. There are two ways here:
//
//   - [Challenge]: a signed POST of an event with a random challenge, by the very path of
//     deliveries. The answer must be a success and consist of the challenge, as text or as the
//     only member, "challenge", of a JSON object. An endpoint that says 200 to everything does not
//     pass, and neither does one that returns what it gets, whatever Transform has made of it.
//   - [Handshake]: the OPTIONS request of HTTP 1.1 Web Hooks for Event Delivery, 4 (part of
//     CloudEvents 1.0.2). The answer must name the origin, and may bound the rate. It can also be
//     given later, by a call of the address in the request ([Options.Callback]).
//
// A subscription whose endpoint has not agreed is store.Unverified: events are kept for it, and
// nothing is attempted ([DecideStatus]). That is the safe side of both: nothing flows to an
// endpoint that has not agreed, and nothing is lost for one that agrees a minute late. What is kept
// is bounded by the quota of what may be pending, as with a pause.
package verify
