package record

import "fmt"

// MaxChunk bounds the events of a chunk. A look-up decodes the whole chunk. With the differences
// between events as varints, a chunk takes a few hundred bytes, so a page of the file has several.
const MaxChunk = 256

// EncodeChunk returns the value of a chunk: events in ascending order. The key has the first of
// them.
func EncodeChunk(key []byte, seqs []uint64) []byte {
	e := newEncoder(8 + 2*len(seqs))
	e.b = Pack(e.b, seqs)
	return e.appendChecksum(key)
}

// DecodeChunk reads the events of a chunk. The list is the caller's own.
func DecodeChunk(key, v []byte) ([]uint64, error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return nil, fmt.Errorf("pending deliveries of subscription %d: %w", KeyNumber(key, 0), err)
	}
	return UnpackAll(d.b)
}
