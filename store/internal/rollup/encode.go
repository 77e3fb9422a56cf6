package rollup

import (
	"encoding/binary"
	"errors"
)

// Append appends the bucket in binary form, all as unsigned varints: for each minute its number,
// how many attempts were delivered and failed, how many cells are not empty, and for each of those
// how far it lies after the last one and its count.
func (b *Bucket) Append(to []byte) []byte {
	for i := range b.parts {
		p := &b.parts[i]
		cells := 0
		for _, n := range p.took {
			if n > 0 {
				cells++
			}
		}
		for _, n := range []uint64{uint64(p.minute), p.delivered, p.failed, uint64(cells)} {
			to = binary.AppendUvarint(to, n)
		}
		last := -1
		for i, n := range p.took {
			if n > 0 {
				to = binary.AppendUvarint(to, uint64(i-last))
				to = binary.AppendUvarint(to, n)
				last = i
			}
		}
	}
	return to
}

// errFormat is the error of Parse for all that Append does not write.
var errFormat = errors.New("rollup: a record of counts is damaged")

// Parse reads what Append wrote. It refuses everything else.
func Parse(data []byte) (Bucket, error) {
	r := reader{data: data}
	var b Bucket
	for before := -1; len(r.data) > 0; {
		minute := r.next()
		if r.bad || minute >= uint64(partsOf) || int(minute) <= before {
			return Bucket{}, errFormat
		}
		before = int(minute)
		c, ok := r.counts()
		if !ok {
			return Bucket{}, errFormat
		}
		b.parts = append(b.parts, part{before, c})
	}
	if b.empty() {
		return Bucket{}, errFormat
	}
	return b, nil
}

// reader reads numbers. After the first that is damaged, all are 0.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) next() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[size:]
	return n
}

// counts reads the counts of a minute.
func (r *reader) counts() (c counts, ok bool) {
	c.delivered, c.failed = r.next(), r.next()
	cells, at := r.next(), -1
	for ; cells > 0; cells-- {
		// The bounds are checked before at is added to: a damaged record must cost no memory.
		gap, n := r.next(), r.next()
		if r.bad || gap == 0 || gap > maxCells || at+int(gap) >= maxCells || n == 0 {
			return c, false
		}
		at += int(gap)
		c.answered(at, n)
	}
	return c, !r.bad && c.delivered+c.failed > 0
}
