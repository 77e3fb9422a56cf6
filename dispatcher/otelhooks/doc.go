// Package otelhooks measures and traces a dispatcher with OpenTelemetry. It is a module of its own,
// so that a host without OpenTelemetry does not download it. Call New in place of dispatcher.New:
//
//	d, err := otelhooks.New(store, &dispatcher.Options{…}, nil) // nil: the global providers
//
// # Metrics
//
// The meter is named [Scope]. Times are in seconds.
//
//	outhook.publish.events           counter    {event}         events published
//	outhook.publish.unwanted         counter    {event}         events that no subscription got
//	outhook.queue.duration           histogram  s               publish to the first attempt
//	outhook.attempt.duration         histogram  s               an attempt, to the end of its answer
//	outhook.attempts                 counter    {attempt}       by the state of the delivery then
//	outhook.breaker.changes          counter    {change}        breakers that opened or closed
//	outhook.subscriptions.disabled   counter    {subscription}  unsubscribed by the dispatcher
//	outhook.store.errors             counter    {error}         failed calls of the store by Run
//	outhook.pings                    counter    {ping}          pings sent, which are no attempts
//	outhook.outages                  counter    {outage}        outages of the host's own network
//	outhook.outage                   gauge      {outage}        1 in such an outage, 0 otherwise
//	outhook.subscriptions            gauge      {subscription}  subscriptions of any status
//	outhook.deliveries.pending       gauge      {delivery}      deliveries that are pending
//	outhook.deliveries.in_flight     gauge      {delivery}      pending ones that are under way
//	outhook.deliveries.oldest_age    gauge      s               age of the oldest pending one, or 0
//
// The gauges are of the whole store, and are read when metrics are collected: with several replicas
// on one PostgreSQL each reports the same. So is outhook.publish.unwanted read, but each replica
// has its own. The number of attribute values is bounded; it does not grow with subscriptions or
// with what endpoints answer:
//
//	error.type              of a failed attempt: its dispatcher.Class, such as timeout; _OTHER if it
//	                        has none. sender means a function of the host's Options
//	outhook.status_class    of an answered attempt: 1xx to 5xx, or other
//	outhook.delivery.state  of the delivery, after the attempt: delivered, dead, or pending (a retry)
//	outhook.event.type      only if Options.EventTypes declares the types; _OTHER for a type that is
//	                        neither declared nor operational
//	outhook.breaker.state   open or closed
//	outhook.operation       claim, finish, release, …
//
// No attribute has a URL, an address, a subscription, an event or a tenant. So the conventions'
// metric for HTTP clients is not here: it requires the server's address.
//
// # Traces
//
// Publish is a span in the trace of its context, and lasts as long as the call of the store. The
// events are stored with that span as their Trace, unless the host has set another. All their
// deliveries belong to that trace, days later too, and are sampled if it is:
//
//	publish webhooks    PRODUCER  a call of Publish; it links to the Traces that its events had
//	├ queue webhooks    CONSUMER  from publish to the start of the first attempt
//	│ └ POST            CLIENT    the first attempt
//	└ POST              CLIENT    a retry
//
// Queue and POST also link to the span that the event was published in. Without a Trace, as that of
// an event from before, each attempt begins a trace. Of PublishTx the span ends, and the events are
// counted, as its comment says: with PostgreSQL before the commit.
//
// The endpoint gets the POST span as traceparent. Attributes follow the semantic conventions for
// messaging and HTTP clients, with the event's ID and type, the subscription's ID and the number of
// resends; error.type is as above. There is no url.full, because the paths and queries of webhooks
// often are credentials. Neither baggage nor tracestate is sent.
package otelhooks
