package page

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"

	"github.com/outhook/outhook/store"
)

// KeySize is the size of a Sealer's key, in bytes.
const KeySize = 32

// NewKey returns a random key for a Sealer.
func NewKey() (key [KeySize]byte) {
	_, _ = rand.Read(key[:]) // never fails
	return key
}

// Sealer encrypts the cursors that leave a store, and opens those that come back.
//
// The numbers in a cursor are the store's, of which all tenants' events take the next: two cursors
// of one tenant would tell how much all others have published in between. So no cursor leaves a
// store in clear. They are sealed with AES-256-GCM under the store's own key and a random nonce of
// 96 bits (NIST SP 800-38D), which hides even whether two cursors are of the same place. A store
// keeps its key, so that a cursor outlives a restart and is good in each replica.
//
// A Sealer is safe for concurrent use.
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns the Sealer with a key.
func NewSealer(key [KeySize]byte) *Sealer {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has the right size
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return &Sealer{aead}
}

// Seal returns a cursor as callers get it. An empty one, which says that there is no page, stays
// empty. All others have the same length.
func (s *Sealer) Seal(cursor string) string {
	if cursor == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(cursor), nil))
}

// Open returns the cursor that was sealed as text; an empty text stays empty. It returns an
// [events.InvalidError] with the field "cursor" for everything that [Sealer.Seal] has not returned
// with the same key.
func (s *Sealer) Open(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	// Other texts decode to the same bytes, such as one with a line break.
	if err != nil || base64.RawURLEncoding.EncodeToString(sealed) != text {
		return "", errCursor()
	}
	cursor, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil || len(cursor) == 0 {
		return "", errCursor()
	}
	return string(cursor), nil
}

// Begin returns where the page of a query begins, in clear: at its cursor, or where [First] says.
func Begin(s *Sealer, q *store.DeliveryQuery) (string, error) {
	cursor, err := s.Open(q.Cursor)
	return First(cursor, q.Last), err
}

// First returns a cursor in clear, or, if it is empty and last is asked for, that of the last page.
func First(cursor string, last bool) string {
	if cursor == "" && last {
		return Cursor{At: End(), Back: true}.String()
	}
	return cursor
}

// SealPage seals the cursors of a page.
func SealPage[T any](s *Sealer, p store.Page[T]) store.Page[T] {
	p.Next, p.Previous = s.Seal(p.Next), s.Seal(p.Previous)
	return p
}
