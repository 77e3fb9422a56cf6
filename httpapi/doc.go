// Package httpapi serves the webhook endpoints of a host program on the host's own http.ServeMux, so that its users can
// subscribe, change and list their webhooks, and see and mend what became of their deliveries. The first five are those of
// Airy's outbound webhook integration: clients written for Airy work unchanged.
//
//	POST /webhooks.subscribe    make a webhook, or replace the one with that id
//	POST /webhooks.update       change the fields that are given
//	POST /webhooks.unsubscribe  stop deliveries; the webhook stays
//	POST /webhooks.info         one webhook
//	POST /webhooks.list         all of them, oldest first, or a page
//
//	POST /webhooks.delete       remove a webhook with its history
//	POST /webhooks.rotate       give it a new signature key, and sign by both for a while
//	POST /webhooks.ping         send a test event now, and see what the endpoint says
//	POST /webhooks.stats        what is pending, what succeeded and failed, how fast, the breaker
//	POST /webhooks.events       the event types that the host declares; none where it declares none
//
//	POST /webhooks.deliveries   what was sent and is to be sent, newest first, by filters and pages
//	POST /webhooks.attempts     each request of one delivery, and what was answered
//	POST /webhooks.redeliver    send one again
//	POST /webhooks.replay       send all that match again, or count them
//
//	GET /webhooks.openapi       all of this, and what receivers get, as an OpenAPI 3.1 description
//
// Requests and responses are JSON. Every error is {"message":"…"}, one sentence that names the field and the mend. What
// went wrong with a delivery has a class as well, a word that is the same in Go, logs and metrics (dispatcher.Class).
// Signature keys go in and never come out, but for the answer of /webhooks.rotate, which shows the new one once. The values
// of a webhook's headers are shown by Airy's five endpoints only.
//
// # Who may call
//
// An [Authorizer] says which tenant a request speaks for, and there is no default: without one there is no handler. A
// host whose middleware does that already, and has one tenant, says so with [NoAuth].
//
//	err := httpapi.Mount(mux, d, func(r *http.Request) (string, error) {
//		user, err := sessions.User(r)
//		return user.AccountID, err
//	}, nil)
//
// A tenant sees and changes its own webhooks and deliveries only; the id of another's is as unknown as one that does not
// exist. The description is behind the Authorizer too: it has no secrets, but strangers need not know what there is.
//
// # Browsers
//
// Where users are known by a cookie, a page of another site could send requests in their name. What changes anything
// must be application/json, which a browser doesn't send to another origin unless that origin allows it; the standard
// library's [http.CrossOriginProtection] refuses such requests altogether, and a host that knows its users by cookies
// should put it around its mux:
//
//	server := &http.Server{
//		Handler:           http.NewCrossOriginProtection().Handler(mux),
//		ReadHeaderTimeout: 5 * time.Second,
//		WriteTimeout:      30 * time.Second,
//		IdleTimeout:       2 * time.Minute,
//	}
//
// A host that does want browsers of other origins to call answers their preflight requests (OPTIONS) in middleware of
// its own; here they are a 405 like every method but the endpoint's.
//
// # Slow and large requests
//
// A body may have 256 KiB. It must arrive within [BodyTimeout], or within the http.Server's own ReadTimeout where the
// host sets one; a request that is too slow is answered 408. Every other timeout is the host's to set on its
// http.Server, as above; /webhooks.ping takes up to the dispatcher's Timeout, and /webhooks.replay and the total of
// /webhooks.deliveries as long as it takes to read what matches. Nothing is locked or held while a body is read, so slow
// clients cost their connection only.
package httpapi
