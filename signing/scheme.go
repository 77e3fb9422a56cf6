package signing

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// versionHMAC starts a signature by an HMAC key; other versions are other algorithms.
const versionHMAC = "v1,"

// Airy returns the value of X-Airy-Content-Signature: HMAC-SHA256 of the body in lowercase
// hexadecimal, keyed with the key's bytes as they stand, a "whsec_" in front included. For an empty
// key, whose signature anyone could make, it is "", and so it is for an Ed25519 key: Airy's scheme
// is symmetric.
//
// It covers the body alone, so anyone who has seen a delivery can send it again.
//
// Source: "Subscribing" in Airy's webhook documentation, and its lib/java/crypto
// Signature.getSignature.
func Airy(key Secret, body []byte) string {
	if key == "" || key.Kind() == Ed25519 {
		return ""
	}
	var buf [sha256.BlockSize]byte // room for most
	mac := sum(append(buf[:0], key...), nil, body)
	var text [airyTextLen]byte
	hex.Encode(text[:], mac[:])
	return string(text[:])
}

// Standard returns the value of webhook-signature: for each key its signature of
// "<id>.<seconds since 1970>.<body>", separated by spaces. An Ed25519 key makes "v1a," and the
// base64 of its signature; every other one "v1," and the base64 of HMAC-SHA256, where a key written
// whsec_<base64> is decoded first and any other is used as it stands, also one that starts with
// "whsk_" and is no Ed25519 key. Empty keys are left out; without any other the value is "".
//
// Give the same id and at in webhook-id and webhook-timestamp. Since a dot separates them, id must
// not have one.
//
// Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
func Standard(id string, at time.Time, body []byte, keys ...Secret) string {
	var buf [160]byte // room for most
	prefix := appendPrefix(buf[:0], id, at)
	var out strings.Builder
	out.Grow(len(keys) * (len(versionHMAC) + macTextLen + len(" ")))
	var message []byte // Ed25519 wants it in one piece; HMAC does without the copy
	for _, key := range keys {
		if key == "" {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte(' ')
		}
		if private := key.privateKey(); private != nil {
			if message == nil {
				message = slices.Concat(prefix, body)
			}
			out.WriteString(versionEd25519)
			out.WriteString(ed25519Text(private, message))
			continue
		}
		text := standardMAC(key, prefix, body)
		out.WriteString(versionHMAC)
		out.Write(text[:])
	}
	return out.String()
}

// appendPrefix appends what is signed before the body.
func appendPrefix(b []byte, id string, at time.Time) []byte {
	b = append(append(b, id...), '.')
	return append(strconv.AppendInt(b, at.Unix(), 10), '.')
}

// The length of a MAC as text.
const (
	macTextLen  = 44              // in base64: 4 characters for each 3 bytes of 32, rounded up
	airyTextLen = 2 * sha256.Size // in hexadecimal
)

// standardMAC is one signature of the standard scheme, without its version. The prefix is
// "<id>.<seconds>.".
func standardMAC(key Secret, prefix, body []byte) (text [macTextLen]byte) {
	mac := sum(key.standardKey(), prefix, body)
	base64.StdEncoding.Encode(text[:], mac[:])
	return text
}
