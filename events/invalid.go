package events

// An InvalidError says which input is wrong and what would be right. The whole library, not only
// this package, uses it for bad input: the dispatcher and the HTTP endpoints return it for what the
// caller can correct, and the endpoints show its text to their clients.
//
// No other error is about the input. Find an InvalidError with errors.As:
//
//	var invalid *events.InvalidError
//	if errors.As(err, &invalid) && invalid.Field == "url" { … }
//
// Neither part contains a secret or a part of a payload.
type InvalidError struct {
	// Field is the input's name as the caller knows it, spelled as in the JSON of the HTTP
	// contract: "type", "payload", "url", "events", "headers", "cursor".
	Field string

	// Reason says what is wrong and what to do, without the field's name, full stop or capital:
	// "is empty; give a name such as message.created".
	Reason string
}

// Error returns the field and the reason: "type is empty; give a name such as message.created".
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }
