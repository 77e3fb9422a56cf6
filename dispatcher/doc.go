// Package dispatcher delivers events to webhooks: durable, signed, retried, bounded, and isolated
// from one another.
//
// A [Dispatcher] takes events from a host and delivers them to the subscriptions that want them. It
// keeps everything in a [store.Store]; what it holds in memory can be lost.
//
//	s, err := boltstore.Open("outhook.db", nil)
//	d, err := dispatcher.New(s, nil)
//	go d.Run(ctx)
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
//   - Together with the host's own: what PublishTx has published in a transaction of the host is
//     stored if and only if the transaction commits.
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
//     a subscription gets one probe at a time, within five minutes of one another, until a probe
//     succeeds. Then it gets its attempts back by doubling.
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
//   - 429, or 503 with Retry-After: the whole subscription is held for as long as that says, at
//     most a day; without it, its pace is learnt. The attempt does not count while the endpoint
//     takes others.
//   - Another 4xx than 401, 403, 404, 407 and 408: the endpoint is alive and refuses this one. It
//     is tried again by Options.Backoff until its attempts are used up, or is dead at once if
//     Options.Final says so. The health of the subscription stays as it is.
//   - Anything else, redirects included, and no answer: tried again by Options.Backoff, and one
//     more failure in a row of the subscription.
//   - With Options.ReceiverSteers, an answer may end the delivery, or unsubscribe the subscription.
//   - A function of the host that fails, and a stored URL or header that may not be sent: tried
//     again by Options.Backoff, with an error of [ClassSender]. The health stays as it is.
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
// The address that is dialed, after names are resolved, must be neither in Options.DenyPrefixes
// nor, unless it is in Options.AllowPrefixes, special: in IANA's IPv4 Special-Purpose Address
// Registry, IPv4 multicast or reserved, in IPv6 outside 2000::/3 or in 2001::/23, 2001:db8::/32,
// 2002::/16, 2620:4f:8000::/48 or 3fff::/20, with a zone, or one of the public addresses that cloud
// providers route inside: 168.63.129.16 (Azure), 161.26.0.0/16 and 166.8.0.0/14 (IBM),
// 199.36.153.4/30, 199.36.153.8/30, 34.126.0.0/18, 35.199.192.0/19, 2600:2d00:2:1000::/56,
// 2600:2d00:2:2000::/56 and 2001:4860:8040::/42 (Google), 192.80.8.124 (Equinix), 183.60.83.19 and
// 183.60.82.98 (Tencent). Options.AllowLoopback allows the machine itself, for development. Ports
// below 1024 other than 80 and 443 are refused, or all that are not in Options.Ports. The URL and
// the headers of a subscription are checked when it is stored, and again at each attempt.
//
// Proxies named in the environment are not used, redirects not followed, TLS is 1.2 or later. Of an
// answer at most 64 KiB of headers and 64 KiB of body are read, nothing is decompressed, and one
// deadline stands over everything.
package dispatcher
