// Package clientpool keeps net/http's client connections: those that speak HTTP/2, and those of
// HTTP/1.1 that package h1 does not carry, which are of proxies, traced requests and systems
// without [h1.Supported].
//
// # The problem
//
// net/http's Transport has a pool of its own, which does not suit here. It shares connections among
// all requests to a host, of any tenant. It sends a request again as often as an endpoint refuses
// it, thousands of times within a deadline. And it reads and answers all frames that an endpoint
// sends over an HTTP/2 connection, for as long as the connection is open.
//
// # How it is solved
//
// net/http still speaks both protocols, over connections made one at a time
// (http.Transport.NewClientConn), which it neither keeps nor replays. What is here is which
// connection a request goes over, and how much an endpoint may send over it.
//
//	Take(origin) ──▶ Client, with one exchange reserved ──▶ Client.RoundTrip ──▶ http.Response
//	                   ▲                                        │
//	Open ──────────────┘                                        └─▶ replay: the endpoint has not
//	                                                               taken the request
//
// An HTTP/2 connection runs over a meter, which counts the frames that come. Each request and each
// kilobyte that is sent pays for some, and so does time, slowly. An endpoint that sends more has
// its connection closed.
//
// # Invariants
//
//   - A Client carries requests of one [h1.Origin] alone, and so of one tenant and one TLS
//     configuration.
//   - Nothing is sent twice by this package: whether to use a replay is up to the caller.
//   - There are never more than Config.Max connections, unless all of them are in use.
//   - A connection that has ended leaves the pool at once, and an idle one after
//     Config.IdleTimeout.
package clientpool
