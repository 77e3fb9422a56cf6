// Package detail is how stores write a [store.AttemptDetail]: one encoding for all of them, and for
// package sealed, which encrypts it.
package detail

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// version is the first byte of what Append writes. What begins with another reads as ErrCorrupt.
const version = 1

// The flags in the second byte.
const (
	flagRequestCut = 1 << iota
	flagAnswerCut
	flagReused
)

// Append appends the encoding of d, or nothing if d is nil. It has no checksum: what surrounds it
// has one.
func Append(b []byte, d *store.AttemptDetail) []byte {
	if d == nil {
		return b
	}
	var flags byte
	for i, set := range [...]bool{d.RequestCut, d.AnswerCut, d.Reused} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, version, flags)
	for _, took := range [...]time.Duration{d.DNS, d.Connect, d.TLS, d.FirstByte} {
		b = binary.AppendUvarint(b, uint64(took))
	}
	b = appendText(b, d.RemoteAddress)
	b = appendText(b, string(d.Sealed))
	for _, fields := range [...][]store.HeaderField{d.Request, d.Answer} {
		b = binary.AppendUvarint(b, uint64(len(fields)))
		for i := range fields {
			b = appendText(appendText(b, fields[i].Name), fields[i].Value)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Parse returns what Append has encoded; nil if that is nothing. It returns store.ErrCorrupt for
// what Append does not write. The result shares no memory with b.
func Parse(b []byte) (*store.AttemptDetail, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if len(b) < 2 || b[0] != version {
		return nil, fmt.Errorf("%w: the detail of an attempt is of an unknown version", store.ErrCorrupt)
	}
	flags := b[1]
	d := store.AttemptDetail{
		RequestCut: flags&flagRequestCut != 0,
		AnswerCut:  flags&flagAnswerCut != 0,
		Reused:     flags&flagReused != 0,
	}
	r := reader{b: b[2:]}
	for _, took := range [...]*time.Duration{&d.DNS, &d.Connect, &d.TLS, &d.FirstByte} {
		*took = time.Duration(r.number())
	}
	d.RemoteAddress = r.text()
	if sealed := r.text(); sealed != "" {
		d.Sealed = []byte(sealed)
	}
	d.Request, d.Answer = r.fields(), r.fields()
	if r.bad || len(r.b) > 0 {
		return nil, fmt.Errorf("%w: the detail of an attempt", store.ErrCorrupt)
	}
	return &d, nil
}

// reader reads what was appended. At damaged bytes it sets bad and is at its end, so that its users
// need to look once.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// length reads a number of things that take a byte each at least: so a damaged one allocates no
// more than what is there.
func (r *reader) length() int {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.length()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) fields() []store.HeaderField {
	var fields []store.HeaderField
	for range r.length() {
		fields = append(fields, store.HeaderField{Name: r.text(), Value: r.text()})
	}
	return fields
}
