package signing

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redacted is the output of a Secret in place of its key.
const redacted = "[redacted]"

// A Secret is a signing key, as its owner writes it: any text, "whsec_" and base64, or "whsk_" and
// base64 for the private key of an Ed25519 pair (see Validate, Kind and Standard). Only string(s)
// returns the text: formatted with fmt by any verb, logged with slog, or encoded by an encoder that
// asks a type how it is encoded (encoding/json, xml and gob, and those for YAML, TOML, CBOR and
// MessagePack), a Secret reads "[redacted]", alone and inside structs, pointers, slices and map
// values. An empty one reads "".
//
// So a store must convert a key before it encodes it. Decoding a Secret from "[redacted]" is an
// error: otherwise a record that was encoded without converting would sign with a public text.
//
// Some cases cannot be prevented, because no method of the type is called: fmt with a value in an
// unexported struct field, with one behind a pointer inside another value and a verb that a pointer
// does not have (%s of struct{ P *T }), and with the verbs %p and %w, which make no sense here;
// encoding/json and encoding/gob with the keys of a map; encoding/asn1; database/sql, which stores
// the text. So give a struct with a Secret in an unexported field, or behind a pointer, a Format
// method, as store.Subscription has one, and don't use secrets as map keys.
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

// Format writes what String returns, for all verbs and flags.
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

// MarshalBinary returns what String does. Package encoding/gob uses it, and not MarshalText.
func (s Secret) MarshalBinary() ([]byte, error) { return s.MarshalText() }

// UnmarshalBinary is UnmarshalText.
func (s *Secret) UnmarshalBinary(data []byte) error { return s.UnmarshalText(data) }
