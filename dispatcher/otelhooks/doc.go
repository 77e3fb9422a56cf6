// Package otelhooks measures and traces a dispatcher with OpenTelemetry. It is a module of its own,
// so that a host without OpenTelemetry downloads none of it. One call does it, in place of
// dispatcher.New:
//
//	d, err := otelhooks.New(store, &dispatcher.Options{…}, nil) // with OpenTelemetry's global providers
//
// # Metrics
//
// All come from the meter named [Scope]. Times are in seconds.
//
//	outhook.publish.events            counter    {event}         events published
//	outhook.queue.duration            histogram  s               from publish to the start of the first attempt
//	outhook.attempt.duration          histogram  s               of an attempt, to the end of the answer
//	outhook.attempts                  counter    {attempt}       attempts, by what they made of the delivery
//	outhook.breaker.changes           counter    {change}        breakers that opened or closed
//	outhook.subscriptions.disabled    counter    {subscription}  subscriptions that the dispatcher unsubscribed
//	outhook.store.errors              counter    {error}         trouble with the store that Run met, by what it asked
//	outhook.subscriptions             gauge      {subscription}  subscriptions, of whatever status
//	outhook.deliveries.pending        gauge      {delivery}      deliveries that are pending
//	outhook.deliveries.in_flight      gauge      {delivery}      those of them that are under way
//	outhook.deliveries.oldest_age     gauge      s               for how long the oldest has been pending; 0 if none is
//
// The gauges are the whole store's, read when metrics are collected: with several replicas on one
// PostgreSQL each reports the same. What the attributes say is bounded, whatever subscriptions
// there are and endpoints answer:
//
//	error.type              of an attempt that failed: its dispatcher.Class, such as timeout or http_status; _OTHER if none
//	outhook.status_class    of one that was answered: 1xx to 5xx, or other
//	outhook.delivery.state  what it made of the delivery: delivered, dead, or pending, that is to be tried again
//	outhook.event.type      only when Options.EventTypes declare the types; _OTHER for what is not among those and the
//	                        operational ones
//	outhook.breaker.state   open or closed
//	outhook.operation       claim, finish, release, …
//
// There is no URL, address, subscription, event or tenant among them. For that reason the HTTP
// client's own metric is not here, as it demands the server's address.
//
// # Traces
//
// Publish is a span in the trace of the context that it is called with, and lasts as long as the
// store takes. The events are stored with that span as their Trace, unless the host has set
// another, and all that becomes of them goes on in that trace, days later too, sampled or not as it
// is:
//
//	publish webhooks    PRODUCER  a call of Publish; it links to the Traces that its events had before
//	├ queue webhooks    CONSUMER  from publish to the start of the first attempt
//	│ └ POST            CLIENT    the first attempt
//	└ POST              CLIENT    a retry
//
// Queue and POST also link to the span that the event was published in. An event that was stored
// without a Trace, as by EnqueueTx, begins a trace with each attempt.
//
// The endpoint gets the POST span as traceparent. Attributes follow the semantic conventions for
// messaging and HTTP clients, with the event's ID and type, the subscription's ID and the number of
// resends; error.type is as above. There is no url.full: the paths and queries of webhooks often
// are credentials. No baggage and no tracestate is sent.
package otelhooks
