package signing

import "crypto/sha256"

// sum is HMAC-SHA256 (RFC 2104) of prefix followed by body. crypto/hmac computes the same, but
// allocates some 600 bytes in nine pieces each time; this allocates nothing, and every attempt of
// every delivery is signed at least twice.
func sum(key, prefix, body []byte) [sha256.Size]byte {
	const block = sha256.BlockSize
	if len(key) > block {
		short := sha256.Sum256(key)
		key = short[:]
	}
	var pad [block + sha256.Size]byte // the padded key, later followed by the inner sum
	copy(pad[:block], key)
	for i := range block {
		pad[i] ^= 0x36
	}
	inner := sha256.New()
	inner.Write(pad[:block])
	inner.Write(prefix)
	inner.Write(body)
	for i := range block {
		pad[i] ^= 0x36 ^ 0x5c
	}
	inner.Sum(pad[:block])
	return sha256.Sum256(pad[:])
}
