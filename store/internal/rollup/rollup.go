// Package rollup counts attempts in buckets of five minutes: what the stores make a
// store.AttemptStats of.
//
// A store keeps one Bucket for each subscription and five minutes in which something was recorded,
// merges those of the last hour or day for its Stats, and drops older ones. So figures reach back
// up to five minutes further than the hour or the day, and answer times are exact to within a
// tenth, however many there are.
package rollup

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/outhook/outhook/store"
)

// Length is how long a bucket is.
const Length = 5 * time.Minute

// The times that figures are asked for.
const (
	Hour = time.Hour
	Day  = 24 * time.Hour
)

// At returns the number of the bucket that a moment falls in. Later buckets have higher numbers.
func At(t time.Time) int64 {
	n := t.Unix() / int64(Length/time.Second)
	if t.Unix() < 0 { // division rounds towards zero, which would make two buckets one
		n--
	}
	return n
}

// First returns the number of the first bucket that the time d before now reaches into. Lower ones
// are past.
func First(now time.Time, d time.Duration) int64 { return At(now.Add(-d)) }

// A Bucket is what was counted of one subscription in some time. The zero value is an empty one. It
// is not safe for concurrent use.
type Bucket struct {
	delivered, failed uint64

	// took counts answers by how long they took: took[i] those of up to bound(i), as far as there
	// are any.
	took []uint64
}

// Each cell of Bucket.took reaches further than the one before by the steps-th root of two, which
// keeps the middle of a cell within 9 % of what falls in it.
const (
	steps    = 4
	maxCells = 24 * steps // up to four and a half hours
)

// cell returns the cell of an answer that took d: 0 for up to a millisecond.
func cell(d time.Duration) int {
	if d <= time.Millisecond {
		return 0
	}
	return min(int(math.Ceil(steps*math.Log2(float64(d)/float64(time.Millisecond)))), maxCells-1)
}

// middle returns the geometric middle of a cell.
func middle(cell int) time.Duration {
	return time.Duration(float64(time.Millisecond) * math.Exp2((float64(cell)-0.5)/steps))
}

// Add counts an attempt. delivered says whether it succeeded.
func (b *Bucket) Add(a *store.Attempt, delivered bool) {
	if delivered {
		b.delivered++
	} else {
		b.failed++
	}
	if a.Status == 0 {
		return // it was not answered
	}
	b.answered(cell(a.Duration), 1)
}

// answered counts n answers of a cell. took grows to the slowest answer and no further: most
// buckets have a few quick ones.
func (b *Bucket) answered(cell int, n uint64) {
	for len(b.took) <= cell {
		b.took = append(b.took, 0)
	}
	b.took[cell] += n
}

// Merge adds what other counted.
func (b *Bucket) Merge(other *Bucket) {
	b.delivered += other.delivered
	b.failed += other.failed
	for i, n := range other.took {
		if n > 0 {
			b.answered(i, n)
		}
	}
}

// empty reports whether nothing was counted.
func (b *Bucket) empty() bool { return b.delivered == 0 && b.failed == 0 }

// Stats returns the figures.
func (b *Bucket) Stats() store.AttemptStats {
	return store.AttemptStats{
		Delivered: int(b.delivered),
		Failed:    int(b.failed),
		P50:       b.percentile(50),
		P95:       b.percentile(95),
	}
}

// percentile returns a time within which p % of the answers came; zero if there were none. The time
// is the middle of a cell, so it is never one that was measured, and a reader of Stats must not
// compare it with one to the millisecond.
func (b *Bucket) percentile(p uint64) time.Duration {
	total := uint64(0)
	for _, n := range b.took {
		total += n
	}
	rank, seen := (total*p+99)/100, uint64(0) // rounded up: of one answer, each percentile is that
	for i, n := range b.took {
		if seen += n; n > 0 && seen >= rank {
			return middle(i)
		}
	}
	return 0
}

// Append appends the bucket in binary form: its counts, then for each cell that is not empty how
// far it lies after the last one and its count, all as unsigned varints.
func (b *Bucket) Append(to []byte) []byte {
	to = binary.AppendUvarint(to, b.delivered)
	to = binary.AppendUvarint(to, b.failed)
	last := -1
	for i, n := range b.took {
		if n > 0 {
			to = binary.AppendUvarint(to, uint64(i-last))
			to = binary.AppendUvarint(to, n)
			last = i
		}
	}
	return to
}

// errFormat is the error of Parse for all that Append does not write.
var errFormat = errors.New("rollup: a record of counts is damaged")

// Parse reads what Append wrote. It refuses everything else.
func Parse(data []byte) (Bucket, error) {
	var b Bucket
	bad := false
	next := func() uint64 {
		n, size := binary.Uvarint(data)
		if size <= 0 {
			bad, data = true, nil
			return 0
		}
		data = data[size:]
		return n
	}
	b.delivered, b.failed = next(), next()
	for at := -1; len(data) > 0; {
		// The bounds are checked before at is added to: a damaged record must cost no memory.
		gap, n := next(), next()
		if bad || gap == 0 || gap > maxCells || at+int(gap) >= maxCells || n == 0 {
			return Bucket{}, errFormat
		}
		at += int(gap)
		b.answered(at, n)
	}
	if bad {
		return Bucket{}, errFormat
	}
	return b, nil
}
