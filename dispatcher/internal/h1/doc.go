// Package h1 is an [http.RoundTripper] that speaks HTTP/1.1 on the goroutine of its caller, with a
// pool of idle connections.
//
// # The problem
//
// A dispatcher makes many small requests, and waits for each. net/http's Transport gives a
// connection two goroutines of its own, one that writes and one that reads. So a request changes
// goroutines four times, which costs about as much as the exchange itself. It also reads from idle
// connections all the time, so each of them holds a goroutine and its stack.
//
// # How it is solved
//
// The caller's goroutine writes the request, reads the answer and puts the connection back. No
// goroutine belongs to an idle connection, which costs two buffers and a place in the pool. The
// pool looks at all of them ten times a second and closes those that the endpoint has closed.
// net/http still parses the answers (http.ReadResponse), and writes the requests that are not plain
// ones with a [Body]; this package decides who does that, and when a connection may be used again.
//
//	Send(origin, req)
//	    │
//	    ├─ pool.take ──▶ conn.prepare ── not fit: conn.abort, and the next one
//	    │                     │
//	    ├─ none: dial ────────┤
//	    │                     ▼
//	    │              conn.roundTrip     a large request is written by a goroutine
//	    │                     │           meanwhile, as the endpoint may answer early
//	    ▼                     ▼
//	http.Response ◀── body ───┘
//	                   │
//	                   └─ Close ─┬─ read to its end, reusable ──▶ pool.put
//	                             └─ anything else ─────────────▶ conn.abort
//
// Three questions need care, since nobody reads from an idle connection:
//
//   - Has the endpoint closed it, or sent something? prepare asks the socket without waiting
//     ([Supported] says whether the system can tell) before it writes the first byte.
//   - How long may a connection wait? As long as Config.IdleTimeout, and the endpoint's Keep-Alive
//     header, less a second, allow.
//   - What ends an exchange whose context is canceled? A function that runs when the context ends
//     sets the connection's deadline to the past, so that the read or write under way returns.
//     Requests of the same parent context share that function; see [WithDeadline].
//
// # Invariants
//
//   - A connection is in the pool or belongs to one exchange, never both.
//   - Requests of different [Origin]s, which name a tenant and a TLS configuration, share none.
//   - It goes into the pool only when nothing is left of the exchange: the answer was read to its
//     end, the request was written to its end, and no byte came after the answer.
//   - The answer is read even if writing the request has failed.
//   - A request that may have been sent is sent again in one case, once: over a kept connection
//     that ended before one byte of an answer. A close while the connection was idle looks like
//     that.
//   - After any error the connection is closed, and a goroutine that writes to it has ended before
//     RoundTrip, or Close of the answer's body, returns.
//   - At most Config.MaxResponseHeader bytes are read before the headers of the final answer end.
//
// An endpoint that prefers HTTP/2 is not for this package: Config.DialTLS says so by [ErrHTTP2],
// and nothing is sent. Proxies, redirects and compression are not for it either.
package h1
