// Package netguard decides where deliveries may go, so that an endpoint's URL cannot reach the
// host's own network.
//
// # The problem
//
// A customer chooses the URL, and with it a name whose answers the customer's name server chooses
// too. A check of the URL alone protects nothing: the name can resolve to a public address while
// it is checked and to 127.0.0.1 when it is dialed (DNS rebinding), an address has many spellings
// (0177.0.0.1, 2130706433, [::ffff:127.0.0.1], full-width digits), and resolvers disagree about
// which of them they take.
//
// # How it is solved
//
// The decision is made where the address of the socket is known, between socket(2) and
// connect(2). For any name, spelling and resolver, that is the address that the kernel connects to.
//
//	URL ──▶ CheckURL          a courtesy: a mistake shows when the subscription is made
//	 │
//	 ▼
//	resolver ─▶ addresses ─▶ net.Dialer ─▶ socket(2) ─▶ Policy.Control ─▶ connect(2)
//	                                                        │
//	                                                        └▶ ErrBlocked
//
// # Invariants
//
//   - No connection is made by a Dialer of this package without a call of Control for its address.
//   - What does not parse, has a zone, or is neither tcp4 nor tcp6, is refused.
//   - An IPv4-mapped IPv6 address is judged as the IPv4 address that it maps.
//   - Deny comes before Allow, and Allow before the built-in list.
//   - ErrBlocked does not name the address: its reader may not know it.
//   - CheckURL returns a URL that it accepts again and leaves as it is.
//
// The package knows nothing of events, subscriptions or HTTP.
package netguard
