package signing

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what a Secret shows in place of its key.
const redacted = "[redacted]"

// A Secret is a signing key, as its owner writes it: any text, or "whsec_" and base64 (see Validate). The text itself
// is string(s), and nothing else gives it away: formatted with fmt by any verb, logged with slog, or encoded as text or
// JSON, a Secret reads "[redacted]", alone and inside structs, pointers, slices and map values. An empty one reads "".
//
// So what is to keep a key, such as a store, must convert it first. Reading a Secret back from "[redacted]" is an
// error, lest a marshalled record silently sign with a text that everybody knows.
//
// Three doors no method can shut: fmt asks no method of an unexported struct field, nor under the verbs %p and %w that
// make no sense here (go vet reports those), and encoding/json writes a map's string keys as they are. So let a struct
// that holds a Secret in an unexported field have a Format method of its own, and don't key a map by secrets.
type Secret string

// String returns "[redacted]", or "" for an empty Secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString returns what String does.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb and flags.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue returns what String does.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String does. JSON uses it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets the Secret to the text. The text "[redacted]" is an error.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == redacted {
		return errors.New("signing: a redacted key can't be read back")
	}
	*s = Secret(text)
	return nil
}
