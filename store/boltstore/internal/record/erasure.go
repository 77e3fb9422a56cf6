package record

import "encoding/binary"

// Erasure says that an event is being erased: its deliveries count as erased, and their records are
// brought in line step by step.
type Erasure struct {
	Seq  uint64 // the event
	AsOf uint64 // from the sequence of the events: tells which came first, it or a Mark
	At   int64
	Done int // how many of the event's recipients are dealt with
}

// EncodeErasures returns the value of a list of erasures.
func EncodeErasures(key []byte, all []Erasure) []byte {
	e := newEncoder(binary.MaxVarintLen64)
	e.uint(uint64(len(all)))
	for _, m := range all {
		e.uint(m.Seq)
		e.uint(m.AsOf)
		e.int(m.At)
		e.uint(uint64(m.Done))
	}
	return e.appendChecksum(key)
}

// DecodeErasures reads a list of erasures.
func DecodeErasures(key, v []byte) (all []Erasure, err error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return nil, err
	}
	for range d.count() {
		all = append(all, Erasure{d.uint(), d.uint(), d.int(), int(d.uint())})
	}
	return all, d.end()
}
