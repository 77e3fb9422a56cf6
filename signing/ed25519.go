package signing

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

// The forms of an Ed25519 key (RFC 8032): "whsk_" and base64 of the private one, "whpk_" and base64
// of the 32 bytes of the public one.
//
// Standard Webhooks 1.0.0 ("Signature scheme") has the prefixes and the base64, and does not say
// which bytes a private key has. There are two answers, and both are taken here. The Svix server,
// by the authors of the specification, has the 32 bytes of the seed and the 32 of the public key
// ("whsk_${base64(private_key + public_key)}" in its README); NewEd25519Secret makes that. The
// libraries of Go and Python that are proposed to the specification's repository (its pull requests
// 253 and 304) have the seed alone.
const (
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// versionEd25519 starts a signature by an Ed25519 key.
const versionEd25519 = "v1a,"

// ed25519TextLen is the length of an Ed25519 signature in base64: 4 characters for each 3 bytes of
// 64, rounded up.
const ed25519TextLen = (ed25519.SignatureSize + 2) / 3 * 4

// A Kind is the kind of a signature key. Its values are those of signature_kind in the HTTP API.
type Kind string

const (
	// HMAC keys are symmetric: who can verify can also sign.
	HMAC Kind = "hmac"
	// Ed25519 keys are pairs: the sender keeps the private one, and a receiver that has the public
	// one can verify and not sign. A signature takes some tens of microseconds and a verification
	// twice that, while an HMAC takes about one.
	Ed25519 Kind = "ed25519"
)

// NewEd25519Secret returns a new private key of the kind Ed25519: "whsk_" and the base64 of 64
// bytes, the seed from crypto/rand and the public key. Give receivers what Public returns.
func NewEd25519Secret() Secret {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic("signing: crypto/rand: " + err.Error()) // it never fails
	}
	return Secret(privatePrefix + base64.StdEncoding.EncodeToString(key))
}

// NewSecretOf returns a new key of a kind: NewEd25519Secret for Ed25519, and NewSecret for any
// other.
func NewSecretOf(kind Kind) Secret {
	if kind == Ed25519 {
		return NewEd25519Secret()
	}
	return NewSecret()
}

// Kind returns Ed25519 for a private key "whsk_…", and HMAC for any other text: that of a store may
// start so and be none, and then signs as it always has.
func (s Secret) Kind() Kind {
	if s.ed25519Bytes() != nil {
		return Ed25519
	}
	return HMAC
}

// Public returns the public key of one of the kind Ed25519, which may be shown to anybody; "" for
// any other.
func (s Secret) Public() PublicKey {
	key := s.privateKey()
	if key == nil {
		return ""
	}
	return PublicKey(publicPrefix + base64.StdEncoding.EncodeToString(key[ed25519.SeedSize:]))
}

// ed25519Bytes returns what a private key decodes to, which is its seed or more; nil if s is none.
func (s Secret) ed25519Bytes() []byte {
	text, ok := strings.CutPrefix(string(s), privatePrefix)
	if !ok {
		return nil
	}
	key, ok := decodeKey(text)
	if !ok || len(key) != ed25519.SeedSize && len(key) != ed25519.PrivateKeySize {
		return nil
	}
	return key
}

// privateKey returns an Ed25519 key as package ed25519 has it; nil if s is none. Of a key of 64
// bytes Validate has checked, before it was stored, that its halves belong together.
func (s Secret) privateKey() ed25519.PrivateKey {
	key := s.ed25519Bytes()
	if len(key) == ed25519.SeedSize {
		return ed25519.NewKeyFromSeed(key)
	}
	return key
}

// validatePrivate returns an error unless a text that starts with "whsk_" is a key. Signing with a
// public half that is another key's would give the private one away.
func (s Secret) validatePrivate() error {
	key := s.privateKey()
	if key == nil {
		return errors.New(`starts with "whsk_", so the rest must be the base64 of an Ed25519 key: ` +
			"the 32 bytes of its seed, alone or followed by the 32 of its public key")
	}
	if !bytes.Equal(key, ed25519.NewKeyFromSeed(key.Seed())) {
		return errors.New(`starts with "whsk_", and its last 32 bytes are not the public key of the ` +
			"first 32; give the seed and the public key of one pair, or the seed alone")
	}
	return nil
}

// A PublicKey is the public half of an Ed25519 key: "whpk_" and the base64 of 32 bytes. It is no
// secret, and prints as it is.
type PublicKey string

// Validate returns an error unless k is "whpk_" and the padded standard base64 (RFC 4648, 4) of 32
// bytes, and none of the keys of small order (RFC 7748, 6.1, and 8.2 of "Taming the many EdDSAs"),
// such as 32 zeros in place of a key: anybody can sign for those.
//
// The error's text is what to say after the name of the field.
func (k PublicKey) Validate() error {
	key := k.bytes()
	switch {
	case key == nil:
		return errors.New(`must be "whpk_" and the base64 of the 32 bytes of an Ed25519 public key`)
	case hasSmallOrder(key):
		return errors.New("is a key for which anybody can sign; give the one that the sender shows")
	}
	return nil
}

// bytes returns the key as package ed25519 has it; nil if k is none.
func (k PublicKey) bytes() ed25519.PublicKey {
	text, ok := strings.CutPrefix(string(k), publicPrefix)
	if !ok {
		return nil
	}
	key, ok := decodeKey(text)
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil
	}
	return key
}

// smallOrders are the points of small order on the curve, without the bit of their sign, and the
// two that are written in a second way.
var smallOrders = [...]string{
	// 0, of order 4, and the prime itself, which means 0 too
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	"\xed\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	// 1, of order 1, and the prime + 1
	"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	"\xee\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	// -1, of order 2
	"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	// of order 8
	"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0" +
		"\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
	"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f" +
		"\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
}

func hasSmallOrder(key ed25519.PublicKey) bool {
	unsigned := [ed25519.PublicKeySize]byte(key)
	unsigned[len(unsigned)-1] &= 0x7f
	for _, small := range smallOrders {
		if string(unsigned[:]) == small {
			return true
		}
	}
	return false
}

// ed25519Text is one signature of the standard scheme, without its version. The message is
// "<id>.<seconds>.<body>".
func ed25519Text(key ed25519.PrivateKey, message []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(key, message))
}

// ed25519Matches reports whether a key has made a signature, which is base64, of a message.
func ed25519Matches(key ed25519.PublicKey, message []byte, signature string) bool {
	raw, err := base64.StdEncoding.Strict().DecodeString(signature)
	return err == nil && len(raw) == ed25519.SignatureSize && ed25519.Verify(key, message, raw)
}
