package record

import (
	"bytes"
	"encoding/binary"
)

// The sizes of keys of one, two and three numbers.
const (
	Len1 = 8
	Len2 = 16
	Len3 = 24
)

// Key1 returns the key of one number.
func Key1(a uint64) (k [Len1]byte) {
	binary.BigEndian.PutUint64(k[:], a)
	return k
}

// Key2 returns the key of two numbers. It sorts by the first. It returns an array, as all of these
// do, so that a key needs no allocation.
func Key2(a, b uint64) (k [Len2]byte) {
	binary.BigEndian.PutUint64(k[:], a)
	binary.BigEndian.PutUint64(k[8:], b)
	return k
}

// Key3 returns the key of three numbers. It sorts by the first, then by the second.
func Key3(a, b, c uint64) (k [Len3]byte) {
	binary.BigEndian.PutUint64(k[:], a)
	binary.BigEndian.PutUint64(k[8:], b)
	binary.BigEndian.PutUint64(k[16:], c)
	return k
}

// KeyNumber returns the i-th number of a key. It panics if the key is too short, which a guard
// makes ErrCorrupt.
func KeyNumber(key []byte, i int) uint64 { return binary.BigEndian.Uint64(key[8*i:]) }

// TenantPrefix returns the beginning of a tenant's keys. The length of the name comes first, so
// that no tenant's prefix begins another's.
func TenantPrefix(tenant string) []byte {
	k := make([]byte, 0, len(tenant)+32)
	k = binary.AppendUvarint(k, uint64(len(tenant)))
	return append(k, tenant...)
}

// TenantKey returns the key of a subscription in the list of its tenant.
func TenantKey(tenant string, num uint64) []byte {
	return binary.BigEndian.AppendUint64(TenantPrefix(tenant), num)
}

// PatternPrefix returns the beginning of the keys of a tenant's subscriptions to a pattern of event
// types. The pattern may be [EveryType]. The zero byte ends the pattern, so that "a" does not find
// "ab".
func PatternPrefix(tenant, pattern string) []byte {
	return append(append(TenantPrefix(tenant), pattern...), 0)
}

// PatternKey returns the key of a subscription to a pattern.
func PatternKey(tenant, pattern string, num uint64) []byte {
	return binary.BigEndian.AppendUint64(PatternPrefix(tenant, pattern), num)
}

// EventIDKey returns the key of an event in the index of IDs. The ID comes first, so that IDs that
// ascend are beside each other no matter who publishes them, and a commit that writes many of them
// writes few pages. The zero byte ends the ID, which has none (see [EventIDOf]).
func EventIDKey(tenant, id string) []byte {
	k := make([]byte, 0, len(id)+1+len(tenant))
	return append(append(append(k, id...), 0), tenant...)
}

// EventIDOf returns the ID that a key of the index begins with.
func EventIDOf(key []byte) string {
	id, _, _ := bytes.Cut(key, []byte{0})
	return string(id)
}

// InSubscription reports whether a key begins with the number of a subscription. A nil key does
// not. It ends a loop over a subscription's range: a cursor returns nil behind the last key.
func InSubscription(k []byte, num uint64) bool { return k != nil && KeyNumber(k, 0) == num }
