package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/outhook/outhook/store"
)

// recordVersion is the first byte of every value. A value of another version reads as ErrCorrupt,
// as its fields are not known.
const recordVersion = 1

const sumSize = 4 // the checksum's size, in bytes

// CRC-32C, because processors have an instruction for it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum returns the CRC of a key and what is stored under it. It covers the key, since a torn or
// misplaced page can show a whole value under a wrong one.
func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// encoder appends fields to a value. The decoders read fields without names, in the order in which
// they were written: a field is added at the end or not at all.
type encoder struct{ b []byte }

// newEncoder returns an encoder that has written the version. The size is a guess. With a good one,
// the value is allocated once.
func newEncoder(size int) *encoder {
	e := &encoder{make([]byte, 0, size+1+sumSize)}
	e.b = append(e.b, recordVersion)
	return e
}

// uint is for what is small as a rule and never negative; int takes a byte for small numbers of
// either sign.
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

// lengthOf returns how many bytes encoder.bytes writes.
func lengthOf(s []byte) int {
	var room [binary.MaxVarintLen64]byte
	return binary.PutUvarint(room[:], uint64(len(s))) + len(s)
}

// time writes a time given by a caller, to the nanosecond. The zero time stays zero; the location
// is lost. Seconds and nanoseconds apart, because UnixNano ends in 2262, and callers may give any
// year up to 9999.
func (e *encoder) time(t time.Time) {
	e.bool(!t.IsZero())
	if !t.IsZero() {
		e.int(t.Unix())
		e.uint(uint64(t.Nanosecond()))
	}
}

// appendChecksum appends the checksum and returns the value. It is last, so that it covers all; the
// encoder must not be used after it.
func (e *encoder) appendChecksum(key []byte) []byte {
	return binary.BigEndian.AppendUint32(e.b, checksum(key, e.b))
}

// decoder reads fields. When a field is missing, it and all after it read as zero, and bad is set.
// So a decoder of a record reads all its fields without asking, and calls end once.
type decoder struct {
	b   []byte
	bad bool
}

// newDecoder checks a value and returns a decoder of its fields. The fields share memory with the
// value. Their capacity ends with them, so that appending to one can't write into the file.
func newDecoder(key, value []byte) (decoder, error) {
	// Without at least a version there is nothing to read; a value that is too short for a checksum
	// makes n negative.
	n := len(value) - sumSize
	if n < 1 || binary.BigEndian.Uint32(value[n:]) != checksum(key, value[:n]) {
		return decoder{}, fmt.Errorf("%w: a record does not match its checksum", store.ErrCorrupt)
	}
	if value[0] != recordVersion {
		return decoder{}, fmt.Errorf("%w: a record has version %d; this version of outhook knows only %d",
			store.ErrCorrupt, value[0], recordVersion)
	}
	return decoder{b: value[1:n:n]}, nil
}

// end returns an error if a field was missing. Fields that are left over are no error: a later
// version may have added them.
func (d *decoder) end() error {
	if d.bad {
		return fmt.Errorf("%w: a record is too short", store.ErrCorrupt)
	}
	return nil
}

// fail makes all that is still to be read zero. An empty b keeps what follows from reading in the
// middle of a field.
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
	// A length is bounded like a count: by what is left.
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
	// The bound only matters for a damaged value with a matching checksum; time.Unix would carry
	// more into the seconds.
	sec, nsec := d.int(), d.uint()
	return time.Unix(sec, int64(min(nsec, 999_999_999))).UTC()
}
