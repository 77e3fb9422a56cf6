package record

import "bytes"

// EncodeNumber returns the value of a number.
func EncodeNumber(key []byte, n uint64) []byte {
	e := newEncoder(10)
	e.uint(n)
	return e.appendChecksum(key)
}

// DecodeNumber reads a number. A missing record is the caller's to tell from a damaged one.
func DecodeNumber(key, v []byte) (uint64, error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return 0, err
	}
	n := d.uint()
	return n, d.end()
}

// EncodeBytes returns the value of bytes, such as those of a body that overrides the event's for
// one delivery. They may be none: an override that sends nothing is one too.
func EncodeBytes(key, b []byte) []byte {
	e := newEncoder(len(b))
	e.b = append(e.b, b...)
	return e.appendChecksum(key)
}

// DecodeBytes returns a copy of the bytes. They are copied, because a body goes to a claim, which
// outlives the transaction.
func DecodeBytes(key, v []byte) ([]byte, error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(d.b), nil
}
