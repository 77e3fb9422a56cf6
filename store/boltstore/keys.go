package boltstore

import "encoding/binary"

// Keys are big-endian numbers, so that they sort like the numbers. A subscription is known by its number, an event by
// its sequence number; both count up from 1 and are never used twice.

const (
	num1 = 8  // the size of a key of one number
	num2 = 16 // of two
	num3 = 24 // of three
)

func key1(a uint64) (k [num1]byte) {
	binary.BigEndian.PutUint64(k[:], a)
	return k
}

func key2(a, b uint64) (k [num2]byte) {
	binary.BigEndian.PutUint64(k[:], a)
	binary.BigEndian.PutUint64(k[8:], b)
	return k
}

func key3(a, b, c uint64) (k [num3]byte) {
	binary.BigEndian.PutUint64(k[:], a)
	binary.BigEndian.PutUint64(k[8:], b)
	binary.BigEndian.PutUint64(k[16:], c)
	return k
}

// number returns the i-th number of a key.
func number(key []byte, i int) uint64 { return binary.BigEndian.Uint64(key[8*i:]) }

// tenantPrefix is how the keys of a tenant begin. Its length goes before it, so that no tenant is another's prefix.
func tenantPrefix(tenant string) []byte {
	k := make([]byte, 0, len(tenant)+32)
	k = binary.AppendUvarint(k, uint64(len(tenant)))
	return append(k, tenant...)
}

// tenantKey is a subscription's key in the list of its tenant.
func tenantKey(tenant string, num uint64) []byte {
	return binary.BigEndian.AppendUint64(tenantPrefix(tenant), num)
}

// wantPrefix is how the keys begin of those of a tenant who asked for a pattern. The empty pattern is every type.
func wantPrefix(tenant, pattern string) []byte {
	return append(append(tenantPrefix(tenant), pattern...), 0)
}

// wantKey is the key of one of them.
func wantKey(tenant, pattern string, num uint64) []byte {
	return binary.BigEndian.AppendUint64(wantPrefix(tenant, pattern), num)
}
