// Package httpapi serves the webhook endpoints of a host program on the host's own http.ServeMux, so that its users can
// subscribe, change and list their webhooks. They are those of Airy's outbound webhook integration: clients written
// for Airy work unchanged.
//
//	POST /webhooks.subscribe    make a webhook, or replace the one with that id
//	POST /webhooks.update       change the fields that are given
//	POST /webhooks.unsubscribe  stop deliveries; the webhook stays
//	POST /webhooks.info         one webhook
//	POST /webhooks.list         all of them, oldest first, or a page
//
// Requests and responses are JSON. Every error is {"message":"…"}, one sentence that names the field and the mend.
// Signature keys go in and never come out.
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
// A tenant sees and changes its own webhooks only; the id of another's is as unknown as one that does not exist.
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
// its own; here they are a 405 like every method but POST.
//
// # Slow and large requests
//
// A body may have 256 KiB. It must arrive within [BodyTimeout], or within the http.Server's own ReadTimeout where the
// host sets one; a request that is too slow is answered 408. Every other timeout is the host's to set on its
// http.Server, as above. Nothing is locked or held while a body is read, so slow clients cost their connection only.
package httpapi
