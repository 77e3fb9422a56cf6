package events

// An InvalidError says which input is wrong and what would be right. It is the error for bad input of the whole
// library, not only of this package: the dispatcher and the HTTP endpoints return it for what the caller can mend, and
// the endpoints show its text to their clients.
//
// Every other error is trouble that other input would not have avoided. Find one with errors.As:
//
//	var invalid *events.InvalidError
//	if errors.As(err, &invalid) && invalid.Field == "url" { … }
//
// Neither part ever holds a secret, or a payload's content.
type InvalidError struct {
	// Field is the input's name as the caller knows it, spelled as in the JSON of the HTTP contract: "type", "payload",
	// "url", "events", "headers", "cursor".
	Field string

	// Reason says what is wrong and how to mend it, without the field's name, full stop or capital:
	// "is empty; give a name such as message.created".
	Reason string
}

// Error returns the field and the reason: "type is empty; give a name such as message.created".
func (e *InvalidError) Error() string { return e.Field + " " + e.Reason }
