package signing

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// A Signer signs as [Airy] and [Standard] do, with keys that it has made ready once. It is for who
// signs much with the same keys: the two functions read a key anew for each signature. Make one
// with NewSigner. It never changes, and is safe for concurrent use.
type Signer struct {
	keys []signerKey // of the standard scheme, in their order
	airy mac         // of the first symmetric key; without a state if there is none
	pair bool
}

// signerKey is a key of the standard scheme.
type signerKey struct {
	private ed25519.PrivateKey // nil for HMAC
	mac     mac
}

// NewSigner returns a Signer with the keys that Standard would be given. Empty ones are left out.
func NewSigner(keys ...Secret) *Signer {
	s := &Signer{keys: make([]signerKey, 0, len(keys))}
	for _, key := range keys {
		if key == "" {
			continue
		}
		if key.Kind() == Ed25519 {
			s.pair = true
		} else if s.airy.inner == nil {
			s.airy = newMAC([]byte(key))
		}
		if private := key.privateKey(); private != nil {
			s.keys = append(s.keys, signerKey{private: private})
		} else {
			s.keys = append(s.keys, signerKey{mac: newMAC(key.standardKey())})
		}
	}
	return s
}

// Kinds reports whether there is a symmetric key, which alone can sign as Airy does, and whether
// there is an Ed25519 pair.
func (s *Signer) Kinds() (symmetric, pair bool) { return s.airy.inner != nil, s.pair }

// Airy returns what the function [Airy] returns for the first symmetric key; "" if there is none.
func (s *Signer) Airy(body []byte) string {
	if s.airy.inner == nil {
		return ""
	}
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	var text [airyTextLen]byte
	hex.Encode(text[:], h.mac(s.airy, nil, body))
	return string(text[:])
}

// Standard returns what the function [Standard] returns for the keys.
func (s *Signer) Standard(id string, at time.Time, body []byte) string {
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	prefix := appendPrefix(h.prefix[:0], id, at)
	var out strings.Builder
	out.Grow(len(s.keys) * (len(versionHMAC) + macTextLen + len(" ")))
	var message []byte
	for i := range s.keys {
		if i > 0 {
			out.WriteByte(' ')
		}
		k := &s.keys[i]
		if k.private != nil {
			if message == nil {
				message = slices.Concat(prefix, body)
			}
			out.WriteString(versionEd25519)
			out.WriteString(ed25519Text(k.private, message))
			continue
		}
		var text [macTextLen]byte
		base64.StdEncoding.Encode(text[:], h.mac(k.mac, prefix, body))
		out.WriteString(versionHMAC)
		out.Write(text[:])
	}
	return out.String()
}
