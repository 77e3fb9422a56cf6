package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/outhook/outhook/store"
)

// keyring seals with one key and opens with several. It is not changed once it is made.
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

// field is where a value stands: it opens there alone.
type field struct {
	subscription *store.Subscription
	header       string // the header's name; empty for a secret
	secret       int    // or else which of the secrets, from 0
}

func (f field) String() string {
	if f.header == "" {
		return fmt.Sprintf("secret %d of subscription %s", f.secret+1, f.subscription.ID)
	}
	return "the header " + f.header + " of subscription " + f.subscription.ID
}

// bytes is the additional data, which is authenticated with the value: what decides where the value
// goes, and which values there are beside it. No two fields have the same. (No header's name is
// empty.) Texts have their length before them, so that none can take from its neighbor.
func (f field) bytes() []byte {
	sub := f.subscription
	var b []byte
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(sub.Tenant)
	text(sub.ID)
	text(sub.URL)
	b = binary.AppendUvarint(b, uint64(len(sub.Secrets)))
	b = binary.AppendUvarint(b, uint64(len(sub.Headers)))
	for _, name := range slices.Sorted(maps.Keys(sub.Headers)) {
		text(name)
	}
	text(f.header)
	return binary.AppendUvarint(b, uint64(f.secret))
}

// encoding is strict: every bit of a text counts.
var encoding = base64.RawURLEncoding.Strict()

// seal returns the value as it is stored.
func (r *keyring) seal(f field, plain string) string {
	return encoding.EncodeToString(r.aeads[r.first].Seal(nil, nil, []byte(plain), f.bytes()))
}

// open returns the value that was sealed with the key of that ID.
func (r *keyring) open(id string, f field, text string) (string, error) {
	aead := r.aeads[id]
	if aead == nil {
		return "", fmt.Errorf("%v is sealed with the key %q; give that key to New as well: %w", f, id,
			store.ErrSealed)
	}
	if b, err := encoding.DecodeString(text); err == nil {
		if plain, err := aead.Open(b[:0], nil, b, f.bytes()); err == nil {
			return string(plain), nil
		}
	}
	return "",
		fmt.Errorf(
			"%v does not open with the key %q: that key is another now, or somebody has changed the "+
				"subscription; restore it, give all its secrets and headers anew, or delete it: %w",
			f, id, store.ErrSealed)
}
