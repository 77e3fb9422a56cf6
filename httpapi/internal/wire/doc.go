// Package wire has the JSON of what package httpapi answers: one type for each kind of response,
// and a function that makes it of what the Dispatcher returns.
//
//	store.Subscription       ──▶ Webhook, Rotation
//	store.Delivery           ──▶ Delivery, Deliveries
//	store.Attempt            ──▶ Answer, Attempt, Attempts
//	SubscriptionStats        ──▶ Stats, Window
//	store.Figures            ──▶ Figures, Window
//	events.Type              ──▶ Catalogue, EventType
//	EventReport              ──▶ EventReport, Event
//
// Types of store and dispatcher have no JSON of their own: a field that is added there must not
// reach clients because it is there. What a client sees is what a type here names, and no type but
// [Rotation] and [Webhook] has a place for a signature key.
//
// What all have in common: names in snake_case; lists and objects that are always there are [] and
// {} when they are empty, never null; times are [Timestamp], durations whole milliseconds in a
// field whose name ends in _ms; what cannot be said (a rate of no attempts) is left out, since a
// zero would be read as a figure. [Encode] is how all of it is written.
//
// A [View] says whom a response is for: an operator, who may see all tenants, is told whose each
// webhook and delivery is; a tenant is not even told that there are others.
//
// openapi.json, in package openapi, describes each type. The module openapitest holds both to what
// the tests of the endpoints send and get.
package wire
