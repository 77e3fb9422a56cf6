package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/outhook/outhook/store"
)

// recordVersion is the first byte of every value.
const recordVersion = 1

const sumSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum returns the CRC of a key and what is stored under it.
func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// encoder appends fields to a value.
type encoder struct{ b []byte }

// newEncoder returns an encoder that has written the version. The size is a guess.
func newEncoder(size int) *encoder {
	e := &encoder{make([]byte, 0, size+1+sumSize)}
	e.b = append(e.b, recordVersion)
	return e
}

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.uint(1)
	} else {
		e.uint(0)
	}
}

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) bytes(s []byte) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

// time writes a time given by a caller, to the nanosecond. The zero time stays zero; the location
// is lost.
func (e *encoder) time(t time.Time) {
	e.bool(!t.IsZero())
	if !t.IsZero() {
		e.int(t.Unix())
		e.uint(uint64(t.Nanosecond()))
	}
}

// appendChecksum appends the checksum and returns the value.
func (e *encoder) appendChecksum(key []byte) []byte {
	return binary.BigEndian.AppendUint32(e.b, checksum(key, e.b))
}

// decoder reads fields. When a field is missing, it and all after it read as zero, and bad is set.
type decoder struct {
	b   []byte
	bad bool
}

// newDecoder checks a value and returns a decoder of its fields.
func newDecoder(key, value []byte) (*decoder, error) {
	n := len(value) - sumSize
	if n < 1 || binary.BigEndian.Uint32(value[n:]) != checksum(key, value[:n]) {
		return nil, fmt.Errorf("%w: a record does not match its checksum", store.ErrCorrupt)
	}
	if value[0] != recordVersion {
		return nil, fmt.Errorf("%w: a record has version %d; this version of outhook knows only %d",
			store.ErrCorrupt, value[0], recordVersion)
	}
	return &decoder{b: value[1:n:n]}, nil
}

// end returns an error if a field was missing.
func (d *decoder) end() error {
	if d.bad {
		return fmt.Errorf("%w: a record is too short", store.ErrCorrupt)
	}
	return nil
}

// fail makes all that is still to be read zero.
func (d *decoder) fail() {
	d.b, d.bad = nil, true
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bool() bool { return d.uint() != 0 }

// count reads a number of items that take at least a byte each. The bound keeps a damaged count
// from allocating more than the record is long.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

// bytes returns a field that shares its memory with the record, which is the file's.
func (d *decoder) bytes() []byte {
	n := d.count()
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) time() time.Time {
	if !d.bool() {
		return time.Time{}
	}
	sec, nsec := d.int(), d.uint()
	return time.Unix(sec, int64(min(nsec, 999_999_999))).UTC()
}
