// Package events holds what a host publishes: an Event, the names of event types, the patterns that subscriptions ask
// for them by, and the bytes that receivers get.
//
//	e, err := events.New("order.paid", map[string]any{"order": 1042, "total": "12.50"})
//	if err != nil {
//		return err // the payload can't be marshalled, or the name is no event type
//	}
//	return d.Publish(ctx, e) // d is a *dispatcher.Dispatcher
//
// Airy's four event types have typed payloads, MessageCreated, MessageUpdated, ConversationUpdated and ChannelUpdated,
// which From publishes and which a receiver decodes into:
//
//	e, err := events.From(events.MessageCreated{ConversationID: "…", ChannelID: "…", Message: events.Message{…}})
//
// A type of the host's own does as well, once it has the method EventType.
//
// # The body
//
// Body makes what goes over the wire, from the type, the time in milliseconds and the payload:
//
//	{"type":"order.paid","timestamp":1603661094560,"payload":{"order":1042,"total":"12.50"}}
//
// It is a pure function of these three, and keeps the payload as given but for white space between its tokens: what the
// host signed, hashed or counted inside it stays true, and numbers keep all their digits. Tenant, Key and ID are not in
// the body; the ID is sent as a header.
//
// # Types and patterns
//
// An event type is a dotted name, "message.created". A subscription asks for types by name, or for a family of them by
// "message.*"; Match says whether a pattern takes a type, and Patterns lists all that do. A host may declare its types
// in a catalogue of Type; Airy is the one for Airy's four.
//
// # Errors and concurrency
//
// Bad input is an *InvalidError that names the field and says how to mend it. This package returns no other error, and
// a payload that panics while it is marshalled is such an error too.
//
// Everything here is a value or a pure function (New and From also read the clock and the random source), so all of it
// may be used from several goroutines at once.
package events
