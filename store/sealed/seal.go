package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/outhook/outhook/store"
)

// Prefix begins every sealed value. A value that begins with it is ciphertext and must not be sent.
const Prefix = "outhook:sealed:v1:"

// keyring seals with one key and opens with several. It is immutable.
type keyring struct {
	first string
	aeads map[string]cipher.AEAD // by the key's ID
}

func newKeyring(keys []Key) (*keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("at least one key is needed")
	}
	r := &keyring{first: keys[0].ID, aeads: make(map[string]cipher.AEAD, len(keys))}
	for i, k := range keys {
		if err := k.validate(); err != nil {
			return nil, fmt.Errorf("key %d %w", i+1, err)
		}
		if r.aeads[k.ID] != nil {
			return nil, fmt.Errorf("two keys have the ID %q", k.ID)
		}
		block, err := aes.NewCipher(k.Secret[:])
		if err != nil {
			return nil, err
		}
		if r.aeads[k.ID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// field is the place of a value. The value opens in no other place.
type field struct {
	subscription string // its ID
	header       string // the header's name; empty for a secret
}

func (f field) String() string {
	if f.header == "" {
		return "a secret of subscription " + f.subscription
	}
	return "the header " + f.header + " of subscription " + f.subscription
}

// bytes returns the additional data, which is different for every field. (No header's name is
// empty.)
func (f field) bytes() []byte {
	b := binary.AppendUvarint(nil, uint64(len(f.subscription)))
	return append(append(b, f.subscription...), f.header...)
}

// encoding is strict, so that no two texts decode to the same bytes.
var encoding = base64.RawURLEncoding.Strict()

// seal returns the value as it is stored.
func (r *keyring) seal(f field, plain string) string {
	box := r.aeads[r.first].Seal(nil, nil, []byte(plain), f.bytes())
	return Prefix + r.first + ":" + encoding.EncodeToString(box)
}

// open returns the plaintext of a sealed value, or the text itself if it is not sealed.
func (r *keyring) open(f field, text string) (string, error) {
	rest, sealed := strings.CutPrefix(text, Prefix)
	if !sealed {
		return text, nil
	}
	id, box, ok := strings.Cut(rest, ":")
	if !ok || !validID(id) {
		return "", fmt.Errorf("%v is sealed, but the ID of its key is malformed; set it again: %w",
			f, store.ErrCorrupt)
	}
	aead := r.aeads[id]
	if aead == nil {
		return "", fmt.Errorf("%v is sealed with the key %q, which is missing; give that key to New too: %w",
			f, id, store.ErrCorrupt)
	}
	if b, err := encoding.DecodeString(box); err == nil {
		if plain, err := aead.Open(b[:0], nil, b, f.bytes()); err == nil {
			return string(plain), nil
		}
	}
	return "", fmt.Errorf("%v does not open with the key %q: the key has another secret, or the value was "+
		"changed; restore it, or delete the subscription: %w", f, id, store.ErrCorrupt)
}

// current reports whether the text is sealed with the first key.
func (r *keyring) current(text string) bool {
	return strings.HasPrefix(text, Prefix+r.first+":")
}
