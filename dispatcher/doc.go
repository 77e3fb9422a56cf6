// Package dispatcher delivers events to webhooks: durable, signed, retried, bounded, and isolated
// from one another.
//
// A [Dispatcher] takes events from a host and delivers them to the subscriptions that want them. It
// keeps everything in a [store.Store]; what it holds in memory can be lost.
//
//	s, err := boltstore.Open("outhook.db", nil)
//	d, err := dispatcher.New(s, nil)
//	go d.Run(ctx) // until ctx ends; close s only when Run has returned
//	sub, err := d.Subscribe(ctx, store.Subscription{
//		URL: "https://example.com/hook", Secrets: []signing.Secret{key},
//	})
//	e, err := events.New("order.created", order)
//	err = d.Publish(ctx, e) // nil: it will be delivered
//
// # What it promises
//
//   - Accepted is kept: when Publish returns nil, the event and its deliveries survive a crash or a
//     power cut.
//   - In your transaction: what PublishTx has published in a transaction of the host is stored if
//     and only if the transaction commits.
//   - An error means unknown, and trying again is safe: an event ID of a tenant is stored at most
//     once.
//   - Everything ends: a delivery is attempted when it is due until it is delivered, dead or
//     canceled. Only counted attempts make it dead, never age, time the host was down, or an outage
//     of the host's own network. While a subscription is paused, its deliveries wait.
//   - At least once; duplicates only after a crash, an expired lease, a lost answer, or a store
//     failure after a success. Every attempt sends the same body and webhook-id. An attempt is one
//     request; two if the first went over a kept connection that ended without an answer, or was
//     answered by a 401 and Options.Authenticate has other credentials.
//   - Isolation: turns go to the tenant, and within it the subscription, whose attempts have taken
//     the least time lately. At most Options.PerSubscription attempts of a subscription, and
//     Options.PerTenant of a tenant, run at once. Half of Options.Concurrency is for subscriptions
//     that are healthy and whose usual answer comes within a second; the rest share the other half;
//     failing ones get three quarters of that at most. After [BreakerThreshold] failures in a row
//     a subscription gets one probe at a time, at most five minutes apart, until a probe succeeds.
//     Then it gets one attempt at a time at first, and soon twice as many with each success.
//   - Order: first attempts of a subscription start in the order of Publish. Events with the same
//     Key go to a subscription one after another.
//   - Stop: when the context of Run ends, no attempt starts any more; see [Dispatcher.Run].
//   - A change holds at once: after Unsubscribe, Pause or Erase returns no attempt starts, and an
//     update applies to the next attempt.
//   - Memory is bounded by Options.Concurrency, not by the backlog.
//
// # What an answer means
//
//   - A success, that is a 200 (Options.Success): the delivery is delivered.
//   - 410: it is dead, and the subscription is unsubscribed with the reason.
//   - 429, or 503 with Retry-After: nothing is sent to the subscription for as long as Retry-After
//     says, at most a day. Without that header, the Dispatcher learns how fast the endpoint takes
//     requests. The attempt does not count as long as the endpoint takes other deliveries.
//   - Any other 4xx, except 401, 403, 404, 407 and 408: the endpoint works and refuses this
//     delivery. It is tried again by Options.Backoff until its attempts are used up, or is dead at
//     once if Options.Final says so. The subscription's count of failures stays as it is.
//   - Everything else, redirects and no answer included: tried again by Options.Backoff, and one
//     more failure in a row of the subscription.
//   - With Options.ReceiverSteers, an answer may end the delivery, or unsubscribe the subscription.
//   - A function of the host that fails, and a stored URL or header that may not be sent: tried
//     again by Options.Backoff, with an error of [ClassSender]. The count of failures stays.
//   - Trouble with the store, such as a secret that does not open, and an outage of the host's own
//     network ([Outage]): not counted as an attempt.
//
// A subscription that has done nothing but fail, refuse and throttle for Options.DisableAfter is
// unsubscribed with the reason.
//
// # Functions of the host
//
// Options.Filter decides whether a subscription gets an event, Options.Policy how its deliveries
// are attempted, and how fast; Options.Transform changes the headers and the body of an attempt,
// Options.Authenticate adds credentials, Options.Sign a signature. [Observer] is told of every
// transition, a [Tracer] of publishing and attempts, and with Options.OperationalEvents the host's
// customers can subscribe to events about their subscriptions. A panic in any of these is logged
// and costs one attempt at most, never the health of a subscription.
//
// # What a tenant may use
//
// Options.Quota bounds how many subscriptions a tenant has and how large they are, how many of its
// deliveries are pending, and how many pings and replays it gets in a minute. A call beyond it
// returns a [*QuotaError] and changes nothing. Without it, the defaults of [Quota] hold.
//
// # Where deliveries may go
//
// The check is of the address that is dialed, after names are resolved. An address in
// Options.DenyPrefixes is refused, one in Options.AllowPrefixes allowed, and of all others these
// are refused:
//
//   - IPv4: what is in IANA's Special-Purpose Address Registry (loopback, private, link-local and
//     so on), multicast and reserved addresses.
//   - IPv6: everything outside 2000::/3; 2001::/23, 2001:db8::/32, 2002::/16, 2620:4f:8000::/48 and
//     3fff::/20; an address with a zone.
//   - Public addresses that cloud providers route inside: 168.63.129.16 (Azure), 161.26.0.0/16 and
//     166.8.0.0/14 (IBM), 199.36.153.4/30, 199.36.153.8/30, 34.126.0.0/18, 35.199.192.0/19,
//     2600:2d00:2:1000::/56, 2600:2d00:2:2000::/56 and 2001:4860:8040::/42 (Google), 192.80.8.124
//     (Equinix), 183.60.83.19 and 183.60.82.98 (Tencent).
//
// Options.AllowLoopback allows the machine itself, for development. The only ports are 80, 443 and
// those from 1024 on, or Options.Ports. The URL and the headers of a subscription are checked when
// it is stored, and again at each attempt.
//
// Proxies named in the environment are not used, redirects not followed, TLS is 1.2 or later. Of an
// answer at most 64 KiB of headers and 64 KiB of body are read, nothing is decompressed, and one
// deadline, Options.Timeout, bounds all of it.
package dispatcher
