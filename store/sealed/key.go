package sealed

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Key is an encryption key with an ID.
type Key struct {
	// ID names the key in every value that it seals. 1 to 32 characters from A-Z, a-z, 0-9, "_",
	// "-" and ".". It is not secret. Do not give it to another key while there are values sealed
	// with this one.
	ID string

	// Secret is the key itself.
	Secret Secret
}

// A Secret is the 32 random bytes of an AES-256 key. Formatted with fmt by any verb, logged with
// slog, or encoded by encoding/json, encoding/xml, encoding/gob or any other that asks for text or
// binary (package encoding), it reads "[redacted]", alone and in a Key. But fmt calls no method of
// a value in an unexported struct field, and encoding/binary asks no methods.
type Secret [32]byte

const redacted = "[redacted]"

// NewSecret returns a random Secret.
func NewSecret() Secret {
	var s Secret
	_, _ = rand.Read(s[:]) // never fails
	return s
}

// ParseSecret parses a Secret in base64 (RFC 4648, either alphabet, with or without padding). Its
// error contains nothing of the text.
func ParseSecret(text string) (Secret, error) {
	plain := strings.NewReplacer("-", "+", "_",
		"/").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
	b, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil || len(b) != len(Secret{}) {
		return Secret{},
			errors.New("sealed: a key is 32 bytes in base64, such as openssl rand -base64 32 makes")
	}
	return Secret(b), nil
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// Format writes "[redacted]", for all verbs and flags.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]". JSON uses it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalBinary returns "[redacted]". encoding/gob uses it.
func (s Secret) MarshalBinary() ([]byte, error) { return s.MarshalText() }

// validate returns what is wrong with the key.
func (k *Key) validate() error {
	switch {
	case !validID(k.ID):
		return errors.New(`must have an ID of 1 to 32 characters from A-Z, a-z, 0-9, "_", "-" and "."`)
	case k.Secret == Secret{}:
		return errors.New("has no Secret; make one with NewSecret")
	}
	return nil
}

// maxID is the most characters of a key's ID.
const maxID = 32

func validID(id string) bool {
	return id != "" && len(id) <= maxID && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' &&
			r != '-' && r != '.'
	})
}
