package signing

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	keyPrefix = "whsec_"

	newKeyLen = 32  // bytes, as long as the signature
	maxKeyLen = 512 // bytes of text

	// The bounds of a decoded whsec_ key, in bytes.
	minDecodedLen = 24
	maxDecodedLen = 64
)

// NewSecret returns a new key: "whsec_" and the base64 of 32 bytes from crypto/rand.
func NewSecret() Secret {
	var key [newKeyLen]byte
	rand.Read(key[:]) // never fails
	return Secret(keyPrefix + base64.StdEncoding.EncodeToString(key[:]))
}

// Standard returns the key in the form that every Standard Webhooks library takes: "whsec_" and the
// base64 of the bytes that key the standard scheme. Signatures made and verified with either form
// are the same there. The Airy scheme keys with the text as it stands, so its signatures differ.
//
// It is for a receiver that has a plain key and verifies with a library other than this package: to
// such a library a key is base64, with or without "whsec_", so it refuses a plain key, or decodes
// it to something else if the key happens to be base64.
//
// A key of more than 64 bytes is hashed to 32 by SHA-256 first, which is what HMAC does with it.
// One of fewer than 24 bytes gives a form that libraries take and Validate refuses, because
// Standard Webhooks recommends at least 24: give a Verifier the plain key then. A key that starts
// with "whsec_" or "whsk_" stays as it is, and so does an empty one.
func (s Secret) Standard() Secret {
	if s == "" || strings.HasPrefix(string(s), keyPrefix) || s.Kind() == Ed25519 {
		return s
	}
	key := []byte(s)
	if len(key) > sha256.BlockSize {
		short := sha256.Sum256(key)
		key = short[:]
	}
	return Secret(keyPrefix + base64.StdEncoding.EncodeToString(key))
}

// Len returns how many bytes key the standard scheme: of a key that starts with "whsec_" those that
// its base64 decodes to, of an Ed25519 key the 32 of its seed, of any other those of the text.
func (s Secret) Len() int {
	if s.Kind() == Ed25519 {
		return ed25519.SeedSize
	}
	return len(s.standardKey())
}

// Validate returns an error unless s can be a signing key: 1 to 512 bytes of UTF-8, and if it
// starts with "whsec_", the rest is padded standard base64 (RFC 4648, 4) of 24 to 64 bytes, as
// Standard Webhooks recommends, or if it starts with "whsk_", of an Ed25519 key. A public key is
// none: as an HMAC key, it would let everybody sign who may have it. Whether a key is long enough
// not to be guessed is the host's to say: see dispatcher.Options.MinSecret.
//
// The error's text is what to say after the name of the field ("is empty; …") and never holds any
// of the key.
func (s Secret) Validate() error {
	switch text, isStandard := strings.CutPrefix(string(s), keyPrefix); {
	case s == "":
		return errors.New("is empty; give 1 to 512 bytes, or make a key with NewSecret")
	case len(s) > maxKeyLen:
		return errors.New("is longer than 512 bytes; shorten it")
	case !utf8.ValidString(string(s)):
		return errors.New("is not valid UTF-8; encode it as UTF-8")
	case s == redacted:
		return errors.New("is the placeholder that stands for a key in output; give the key itself")
	case isStandard:
		key, ok := decodeKey(text)
		if !ok || len(key) < minDecodedLen || len(key) > maxDecodedLen {
			return errors.New(`starts with "whsec_", so the rest must be the base64 of 24 to 64 bytes`)
		}
	case strings.HasPrefix(string(s), privatePrefix):
		return s.validatePrivate()
	case strings.HasPrefix(string(s), publicPrefix):
		return errors.New(`starts with "whpk_", so it is a public key, which can't sign; give it to ` +
			"those who verify, as one of Verifier.PublicKeys")
	}
	return nil
}

// standardKey is the key that the standard scheme uses: what a whsec_ key decodes to, any other
// text as it stands.
func (s Secret) standardKey() []byte {
	if text, ok := strings.CutPrefix(string(s), keyPrefix); ok {
		if key, ok := decodeKey(text); ok {
			return key
		}
	}
	return []byte(s)
}

// decodeKey decodes base64 that isn't empty. Unlike encoding/base64 it takes no line breaks: other
// receivers don't.
func decodeKey(text string) (key []byte, ok bool) {
	if text == "" || strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\r') >= 0 {
		return nil, false
	}
	key, err := base64.StdEncoding.DecodeString(text)
	return key, err == nil
}
