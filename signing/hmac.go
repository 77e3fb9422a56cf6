package signing

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding"
	"hash"
	"sync"
)

// mac is a key of HMAC-SHA256 (RFC 2104), ready to sign: the states of the two hashes after the key
// has gone into them. Making them takes as long as hashing two hundred bytes more.
type mac struct{ inner, outer []byte }

// The bytes that pad a key for the inner sum, and those that make that pad the one of the outer.
var (
	innerPad     = padOf(0x36)
	innerToOuter = padOf(0x36 ^ 0x5c)
)

func padOf(b byte) (pad [sha256.BlockSize]byte) {
	for i := range pad {
		pad[i] = b
	}
	return pad
}

func newMAC(key []byte) (m mac) {
	pad := innerPadOf(key)
	m.inner = stateAfter(pad[:])
	subtle.XORBytes(pad[:], pad[:], innerToOuter[:])
	m.outer = stateAfter(pad[:])
	return m
}

// innerPadOf returns a key with the inner pad.
func innerPadOf(key []byte) (pad [sha256.BlockSize]byte) {
	if len(key) > len(pad) {
		short := sha256.Sum256(key)
		key = short[:]
	}
	copy(pad[:], key)
	subtle.XORBytes(pad[:], pad[:], innerPad[:])
	return pad
}

// stateAfter returns the state of a hash of these bytes.
func stateAfter(block []byte) []byte {
	h := sha256.New()
	h.Write(block)
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("signing: a hash has no state: " + err.Error()) // those of crypto/sha256 have one
	}
	return state
}

// sum is the MAC of prefix followed by body, by a key that is used once. crypto/hmac computes the
// same, but allocates some 600 bytes in nine pieces each time; this allocates nothing.
func sum(key, prefix, body []byte) [sha256.Size]byte {
	const block = sha256.BlockSize
	var pad [block + sha256.Size]byte // the padded key, later followed by the inner sum
	padded := innerPadOf(key)
	copy(pad[:block], padded[:])
	inner := sha256.New()
	inner.Write(pad[:block])
	inner.Write(prefix)
	inner.Write(body)
	subtle.XORBytes(pad[:block], pad[:block], innerToOuter[:])
	inner.Sum(pad[:block])
	return sha256.Sum256(pad[:])
}

// hasher has what computing MACs takes, for the next ones too.
type hasher struct {
	hash.Hash
	encoding.BinaryUnmarshaler

	prefix [160]byte // of most messages, see Signer.Standard
	sum    [sha256.Size]byte
}

var hashers = sync.Pool{New: func() any {
	h := sha256.New()
	return &hasher{Hash: h, BinaryUnmarshaler: h.(encoding.BinaryUnmarshaler)}
}}

// mac returns the MAC of prefix followed by body, which is good until the next one.
func (h *hasher) mac(m mac, prefix, body []byte) []byte {
	h.restore(m.inner)
	h.Write(prefix)
	h.Write(body)
	inner := h.Sum(h.sum[:0])
	h.restore(m.outer)
	h.Write(inner)
	return h.Sum(h.sum[:0])
}

func (h *hasher) restore(state []byte) {
	if err := h.UnmarshalBinary(state); err != nil {
		panic("signing: the state of a hash: " + err.Error()) // it is one of MarshalBinary
	}
}
