// Package record knows how boltstore's data looks on disk: the keys, and each kind of value with
// its encoding. It is pure: it knows nothing of bbolt, does no I/O and takes no lock.
//
// # Problem
//
// A disk can return what was never written, and a file can be damaged in one place and whole
// everywhere else. A damaged value must read as [store.ErrCorrupt], never as another value, and
// must not make the values beside it unreadable.
//
// # Values
//
//	┌─────────┬────────┬─────┬──────────────────────────────┐
//	│ version │ fields │ ... │ CRC-32C of key, version,     │
//	│ 1 byte  │        │     │ fields; 4 bytes, big-endian  │
//	└─────────┴────────┴─────┴──────────────────────────────┘
//
// Since the checksum covers the key, a value that was written under another key is noticed too.
// Numbers are varints; strings and byte strings have their length before them. A later version may
// add fields at the end: what is left over is ignored.
//
// An event has two such values in one, its head and its packed recipients, so that reading one of
// ten thousand deliveries does not check the whole list ([Event]).
//
// # Keys
//
// A subscription is known by its number and an event by its sequence number. Both count up from 1
// and are never used twice. Keys hold them big-endian, so keys sort as the numbers do, events are
// appended in order, and all that belongs to a subscription is one range.
//
// # Invariants
//
//   - Decode of what Encode returned under the same key gives the same record.
//   - No input makes a decoder panic, or allocate more than a small multiple of its size.
//   - Records that a decoder returns may share memory with the value, which is the file's: each
//     decoder says which. That memory is valid until the transaction ends, or writes.
package record
