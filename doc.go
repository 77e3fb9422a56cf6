// Package outhook is durable outbound webhooks inside a Go program.
//
// A host program links it in, gives it a store, mounts it on its own http.ServeMux and calls
// Publish; its customers' webhooks are delivered: signed, retried, bounded, isolated from one
// another, with nothing else to run. It implements Airy's outbound webhook integration to the
// letter, so that Airy's clients and receivers work unchanged.
//
// This package holds no code. These do:
//
//   - events: what a host publishes: Event, event types and patterns, the wire body, Airy's
//     payloads; events/jsonschema (a module of its own) checks payloads by schemas
//   - signing: secrets, the two signature schemes, and for receivers Verifier and Once
//   - store: the records and the contract of a store; boltstore (one file, the default), pgstore
//     (PostgreSQL, for several replicas; a module of its own) and memstore (for tests); shards
//     makes one of several
//   - dispatcher: the Dispatcher: Publish, the subscription methods, and Run, which delivers
//   - dispatcher/dispatchertest: for a host's own unit tests
//   - httpapi: the /webhooks.* endpoints; httpapi/console: a web page for operators and customers
//   - examples: quickstart; saas, a whole product to copy from (login, tenants, API keys, console,
//     metrics); operations, a day on which an endpoint is down; console, a login in two ways;
//     chatbot, receiver and listen, the other side; metrics and postgres. saas, metrics and
//     postgres are modules of their own
//
// # Words
//
//   - Event: what the host publishes. It has an ID, a type, a tenant, a time, a payload, and
//     optionally a key within which order is kept.
//   - Subscription: where events go: a URL, event types, headers, secrets, a status. In HTTP and
//     JSON it is called a webhook.
//   - Delivery: one event for one subscription.
//   - Attempt: one HTTP request of a delivery, and its result.
//   - Claim, lease, token: a claim takes due deliveries; its lease says for how long; its token is
//     the number by which a store knows an outcome that comes after the lease has run out.
//   - Tenant: the customer of the host who owns a subscription or an event; empty in a
//     single-tenant host. An event ID is its tenant's: tenants never meet in IDs, counts or
//     cursors.
//
// # The life of a delivery
//
//	Publish ──▶ pending ──attempt succeeds──▶ delivered ─┐
//	              │  ▲                                    │
//	              │  └─attempt fails: due again later     │
//	              │                                       │  kept for Retention,
//	              ├──attempts used up, or 410──▶ dead ────┤  then removed;
//	              │                                       │  Redeliver and Replay
//	              └──unsubscribed or disabled─▶ canceled ─┘  make it pending again
package outhook
