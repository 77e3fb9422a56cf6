// Package transport carries the requests of attempts over connections of its own.
//
// # The problem
//
// Which protocol an endpoint speaks is known only after a handshake, and a burst at a new endpoint
// must not open a connection for each request if one is enough. Requests of two tenants, or with
// two TLS configurations, must never share a connection. And the functions of a host's TLS
// configuration may panic in goroutines that nobody here has started.
//
//	Send(origin) ──▶ once ──▶ h1.Transport (HTTP/1.1) ◀── dialTLS, by netguard's dialer
//	                  │              │ the endpoint prefers HTTP/2
//	                  └──────────────┴─▶ clientpool (HTTP/2, proxies, traced requests)
//
// # Invariants
//
//   - A request is sent once, or twice: the second time only if the first went over a kept
//     connection that ended without an answer, or the endpoint said over HTTP/2 that it has not
//     taken it.
//   - Of an origin one handshake at a time is made as long as nobody knows what it speaks; the
//     requests that wait for it wait for that one alone.
//   - A panic in a TLS configuration ends the handshake with ErrPanic, in whichever goroutine it
//     is.
//   - Addresses are dialed only where the guard lets them be; a proxy is the host's own choice.
//
// It knows nothing of deliveries. Package send makes the requests, and says what errors mean.
package transport
