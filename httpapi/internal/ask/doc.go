// Package ask reads what a request of package httpapi asks for: its body becomes fields, and fields
// become arguments of the Dispatcher.
//
//	body ──▶ Parse ──▶ New ──▶ Fields.Text, Int, Time … ──▶ Subscription, Change, Deliveries …
//	         strict    known   one field, by type           what an endpoint needs
//	         JSON      names
//
// Each step is stricter than it seems to need, because what it would let pass has an effect that
// the client does not see. A mistyped "event" in place of "events" subscribes to everything; of a
// name that is given twice, another program may take the other value; half a surrogate pair is
// stored as a replacement character. So all of these are errors, and they say where.
//
// All errors are *events.InvalidError, whose text is sent to the client. No message repeats a value
// of the request: a signature key may stand in a wrong field. Names of fields are the client's too,
// so they are cut, and quoted unless they are plain.
//
// The bounds of values (how long a URL may be, which headers) are the Dispatcher's. Here is only
// what it cannot know: types, null and missing fields, spellings of Airy's client.
package ask
