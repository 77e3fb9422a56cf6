// Package events has the Event that a host publishes, the rules for event types and for the
// patterns of subscriptions, and the body that receivers get.
//
//	e, err := events.New("order.paid", map[string]any{"order": 1042, "total": "12.50"})
//	if err != nil {
//		return err // the payload can't be marshalled, or the name is no event type
//	}
//	return d.Publish(ctx, e) // d is a *dispatcher.Dispatcher
//
// Airy's four event types have typed payloads, MessageCreated, MessageUpdated, ConversationUpdated
// and ChannelUpdated, which From publishes and which a receiver decodes into:
//
//	e, err := events.From(events.MessageCreated{
//		ConversationID: "…", ChannelID: "…", Message: events.Message{…},
//	})
//
// A host can use its own types in the same way: they need the method EventType.
//
// # The body
//
// Body returns what is sent, made of the type, the time in milliseconds and the payload:
//
//	{"type":"order.paid","timestamp":1603661094560,"payload":{"order":1042,"total":"12.50"}}
//
// It is a pure function of these three. It changes nothing in the payload except white space
// between tokens: signatures and hashes of its parts stay valid, and numbers keep all their digits.
// Tenant, Key and ID are not in the body; the ID is sent as a header.
//
// # Types and patterns
//
// An event type is a dotted name, "message.created". A subscription selects types by name, or a
// family of types by "message.*". Match reports whether a pattern matches a type, and Patterns
// lists all patterns that do. A host may declare its types in a catalogue of Type; Airy returns
// that of Airy's four.
//
// # Errors and concurrency
//
// Bad input is an *InvalidError, which names the field and says what to do. This package returns no
// other error; it is also the error for a payload that panics while it is marshalled.
//
// All functions are safe for concurrent use, because they are pure; New and From also read the
// clock and the random source.
package events
