package record

import "bytes"

// EncodeNumber returns the value of a number.
func EncodeNumber(key []byte, n uint64) []byte {
	e := newEncoder(10)
	e.uint(n)
	return e.appendChecksum(key)
}

// DecodeNumber reads a number.
func DecodeNumber(key, v []byte) (uint64, error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return 0, err
	}
	n := d.uint()
	return n, d.end()
}

// EncodeBody returns the value of a body that overrides the event's for one delivery.
func EncodeBody(key, body []byte) []byte {
	e := newEncoder(len(body))
	e.b = append(e.b, body...)
	return e.appendChecksum(key)
}

// DecodeBody returns a copy of the body.
func DecodeBody(key, v []byte) ([]byte, error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(d.b), nil
}
