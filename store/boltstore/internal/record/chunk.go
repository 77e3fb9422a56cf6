package record

import "fmt"

// MaxChunk bounds the events of a chunk. A look-up decodes the whole chunk.
const MaxChunk = 256

// EncodeChunk returns the value of a chunk: events in ascending order.
func EncodeChunk(key []byte, seqs []uint64) []byte {
	e := newEncoder(8 + 2*len(seqs))
	e.b = Pack(e.b, seqs)
	return e.appendChecksum(key)
}

// DecodeChunk reads the events of a chunk.
func DecodeChunk(key, v []byte) ([]uint64, error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return nil, fmt.Errorf("pending deliveries of subscription %d: %w", KeyNumber(key, 0), err)
	}
	return UnpackAll(d.b)
}
