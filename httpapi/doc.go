// Package httpapi serves the webhook endpoints of a host program on the host's own http.ServeMux,
// so that its users can subscribe, change and list their webhooks, and see and repeat deliveries.
// The first five are those of Airy's outbound webhook integration: clients written for Airy work
// unchanged.
//
//	POST /webhooks.subscribe    make a webhook, or replace the one with that id
//	POST /webhooks.update       change the fields that are given
//	POST /webhooks.unsubscribe  stop deliveries; the webhook stays
//	POST /webhooks.info         one webhook
//	POST /webhooks.list         all of them, oldest first, or a page; pages by filters
//
//	POST /webhooks.pause        keep what is published for it, and attempt nothing
//	POST /webhooks.resume       let go what a pause has kept, in order
//	POST /webhooks.delete       remove a webhook with its history
//	POST /webhooks.rotate       give it a new signature key, and sign by both for a while
//	POST /webhooks.ping         send a test event now, and see the endpoint's answer
//	POST /webhooks.verify       have its endpoint agree to deliveries now, where the host asks for it
//	POST /webhooks.poll         read deliveries of a webhook that has no url, and acknowledge them
//	POST /webhooks.stats        what is pending, what succeeded and failed, how fast, the breaker
//	POST /webhooks.figures      attempts by the minute or hour: how many failed, how fast they were
//	POST /webhooks.test_filter  try a filter by payload, and fields, on the tenant's recent events
//	POST /webhooks.events       the event types that the host declares, if any
//
//	POST /webhooks.deliveries   deliveries, newest first, by filters and pages
//	POST /webhooks.event        an event, who got it, and why others did not
//	POST /webhooks.attempts     each request of one delivery, with its answer
//	POST /webhooks.redeliver    send one delivery again
//	POST /webhooks.replay       send all matching deliveries again, also in steps, or count them
//
//	GET /webhooks.openapi       an OpenAPI 3.1 description of the endpoints and of what receivers get
//	GET /webhooks.asyncapi      an AsyncAPI 3.0 description of what receivers get
//
// Requests and responses are JSON; a response ends with a newline. Every error is {"message":"…"},
// one sentence that names the field and says what to do. A failed delivery also has a class, a word
// that is the same in Go, logs and metrics (dispatcher.Class). No response contains a signature
// key, except that of /webhooks.rotate, which shows the new one once, and that of a
// /webhooks.subscribe that generated one; of an Ed25519 key none has more than the public half.
// Only Airy's five endpoints, pause, resume and poll show the values of a webhook's headers.
//
// # Who may call
//
// An [Authorizer] returns the tenant of a request. It is required. A single-tenant host whose
// middleware already authorizes requests gives [NoAuth]. An error is a 403, or a 401 if it is
// [Unauthenticated].
//
//	err := httpapi.Mount(mux, d, func(r *http.Request) (string, error) {
//		user, err := sessions.User(r)
//		if err != nil {
//			return "", &httpapi.Unauthenticated{Challenge: `Bearer realm="hooks"`}
//		}
//		return user.AccountID, nil
//	}, nil)
//
// A tenant sees and changes only its own webhooks and deliveries; the id of another tenant's
// webhook gives the same answer as an unknown one. Event ids are each tenant's own, counts count
// what is its own, and a cursor tells nothing of what others publish. The one thing that tenants
// share is the space of webhook ids: subscribe with another tenant's id is a 404, and with one that
// is not used it makes a webhook. It tells a stranger little, since the ids are random UUIDs, which
// must be known to be tried.
//
// [Options.Access] can say of a request that it comes from the operator of the host, who may see
// and change the webhooks of every tenant. Lists, figures and replays are then of all tenants, or
// of the tenant that the field "tenant" names; subscribe makes the webhook for that tenant, and
// without the field for the tenant ""; each webhook and delivery in a response has its "tenant";
// and /webhooks.stats without an id has the figures of the host. A tenant's own requests can't have
// the field, and no response to them has it.
//
//	o := &httpapi.Options{Access: func(r *http.Request, tenant string) (httpapi.Access, error) {
//		user := sessions.Of(r)
//		return httpapi.Access{Tenant: tenant, AnyTenant: user.Staff, Actor: user.Email}, nil
//	}}
//
// Its Actor says who it is, for the host's own record of who has changed what
// (dispatcher.Observer.OnAction).
//
// The description requires authorization too: it has no secrets, but strangers need not know the
// endpoints.
//
// A webhook whose headers and keys are sealed with a key that the host lacks (package sealed) is
// listed with "unreadable": true and without headers. It can be deleted, unsubscribed, and given
// headers and signature_key anew; what else needs them is a 409.
//
// # Who changes the same webhook
//
// /webhooks.info has the "version" of a webhook, which is another after each change. An update or
// rotate that gives it back is a 409 if the webhook has changed since, also at the same moment: so
// no one undoes what another has done, and a form that is sent twice makes one key.
//
// # Signature keys
//
// Without a signature_key, deliveries are not signed, and a receiver cannot tell them from forged
// ones; each answer about a webhook says "signed": false then. [Options.Signing] has keys generated
// or required. A key of the form "whsec_" and base64 is what the Standard Webhooks libraries of all
// languages take, and what is generated. With any other text a receiver verifies
// X-Airy-Content-Signature, or webhook-signature by this module's package signing; other libraries
// need the key as signing.Secret.Standard converts it. How short a key may be is
// dispatcher.Options.MinSecret.
//
// A request of subscribe or rotate with "signature_kind": "ed25519" has an Ed25519 key made, whose
// private half no response has. Those about a webhook have the "public_keys" that sign now.
//
// # Browsers
//
// If users are authenticated by a cookie, a page of another site could send requests in their name.
// Requests that change anything must be application/json, which a browser does not send to another
// origin unless that origin allows it. The standard library's [http.CrossOriginProtection] refuses
// all such requests; a host that uses cookies should wrap its mux in it:
//
//	server := &http.Server{
//		Handler:           http.NewCrossOriginProtection().Handler(mux),
//		ReadHeaderTimeout: 5 * time.Second,
//		WriteTimeout:      30 * time.Second,
//		IdleTimeout:       2 * time.Minute,
//	}
//
// A host that allows calls from other origins must answer their preflight requests (OPTIONS) in its
// own middleware; here they get a 405, like all methods but the endpoint's.
//
// # Quotas
//
// A request beyond what the tenant may use (dispatcher.Quota) gets a 429, with the seconds after
// which to try again in Retry-After and a message that names the quota. Nothing is changed then.
//
// # Slow and large requests
//
// A body may have 256 KiB. It must arrive within [BodyTimeout], or within the http.Server's own
// ReadTimeout if the host sets one; a slower request gets a 408. The host sets all other timeouts
// on its http.Server, as above. /webhooks.ping and /webhooks.verify take up to the
// dispatcher's Timeout, /webhooks.poll as long as its wait_seconds; /webhooks.replay and the total
// of /webhooks.deliveries take as long as reading all that matches; with page_size or cursor a
// replay takes one step a request, and answers with the next cursor. Nothing is locked while
// a body is read, so a slow client costs only its connection.
//
// /webhooks.list is sent as it is read from the store, a few webhooks at a time, so that it costs
// some megabytes however many there are. If the store fails in the middle, the connection is
// aborted: a client then has an error of its own and no answer.
//
// # The description
//
// /webhooks.openapi has the event types that the dispatcher declares, with their schemas, and what
// [Options.Description] says: a title, and how clients authenticate. Clients can be generated from
// it; every pattern and format in it agrees with what the endpoints accept. /webhooks.asyncapi has
// the same event types. Types that are hidden from a tenant (dispatcher.Options.TypeVisible) are in
// neither for it.
package httpapi
