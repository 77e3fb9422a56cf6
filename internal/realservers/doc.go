// Package realservers runs web servers as endpoints, has them close connections as often as they
// can, and counts the attempts that fail.
//
// It measures whether deliveries survive what servers do to connections. An idle limit ends while a
// request is on its way; a connection gets a limited number of requests; the server is reloaded; or
// it answers before it has read the request, and resets the connection. Every server has an idle
// limit of one second where it can, three requests for each connection, and is reloaded every half
// second if it knows how.
//
// Requests go by lanes. A lane has a subscription of its own tenant, and so connections of its own;
// it posts the next event some milliseconds, or as long as the idle limit, after the last answer.
// Beside outhook's, a lane of a plain net/http client that may replay does the same, at the same
// time.
//
// The servers are those that are installed; see [Servers] for their names. The tests of this
// package skip the others, and fail with OUTHOOK_CI=1. OUTHOOK_LONG=1 has them post 5,000 requests
// each.
package realservers
