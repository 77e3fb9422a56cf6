// Package send makes one attempt: it builds the request, has the host's hooks change it, sends it,
// reads the answer, and puts what happened into words.
//
// # The problem
//
// The other side of an attempt may be anything, and so may the functions of the host that are asked
// on the way. An attempt must end by its deadline, cost a bounded amount of memory, send the same
// body each time, and leave an account that the endpoint's owner may read: never an address that
// was resolved, the URL, or a raw error.
//
//	store.Claim
//	    │
//	    ▼                     hooks, each in a recover of its own
//	 Filter ──▶ content ──▶ Transform ──▶ Authenticate ──▶ Sign ──▶ headers, signatures
//	                                          ▲ 401, once               │
//	       ┌── transport, or the host's ◀── http.Request ◀──────────────┘
//	       ▼
//	 http.Response ──▶ status, Retry-After, the beginning of the body ──▶ Result
//	 error ──────────▶ classify: a class and plain words ───────────────▶ Result
//
// # Invariants
//
//   - Send returns by its deadline, and leaves no goroutine and no connection that it still uses.
//   - A panic of a hook or a transport ends as an error of this attempt, of ClassSender: it says
//     nothing of the endpoint.
//   - What is signed is what is sent. The sender's own headers come last, so that neither a
//     subscription nor a hook can replace them.
//   - An attempt is one request, or two where package transport may send it again. A 401 to which
//     Authenticate has other credentials is followed by one more such request.
//   - Requests of two tenants, or with two TLS configurations, never share a connection.
//   - All requests with one webhook-id have the body, the Content-Type and the attributes of a
//     CloudEvent of the first: package content decides them, and Result.Mark is kept for it.
//   - Attempt.Error is "class: words" ([ClassDNS] and so on), and holds nothing that was received.
//   - Of an answer at most 64 KiB of headers and 64 KiB of body are read, and nothing is
//     decompressed. Redirects are not followed.
//
// The package says what an answer means ([Kind]). It knows nothing of queues, retries or outcomes;
// package engine decides what follows.
package send
