// Package tally counts attempts in slots of five minutes, for the stores: it is what store.Window is made of.
//
// A store keeps one Slot for each subscription and five minutes in which something was recorded, merges those of the
// last hour or day for its Stats, and drops older ones. So figures reach back up to five minutes further than the hour
// or the day, and answer times are exact to within a tenth, whatever their number.
package tally

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/outhook/outhook/store"
)

// Length is how long a slot is.
const Length = 5 * time.Minute

// The times that figures are asked for.
const (
	Hour = time.Hour
	Day  = 24 * time.Hour
)

// At returns the number of the slot that a moment falls in. Later slots have higher numbers.
func At(t time.Time) int64 {
	n := t.Unix() / int64(Length/time.Second)
	if t.Unix() < 0 {
		n--
	}
	return n
}

// First returns the number of the first slot that the time d before now reaches into. Lower ones are past.
func First(now time.Time, d time.Duration) int64 { return At(now.Add(-d)) }

// A Slot is what was counted of one subscription in some time. The zero value is nothing. It is not safe for concurrent
// use.
type Slot struct {
	delivered, failed uint64

	// took counts answers by how long they took: took[i] those of up to bound(i), as far as there are any.
	took []uint64
}

// Each bucket of Slot.took reaches steps-th root of two further than the one before, which keeps the middle of a bucket within
// 9 % of whatever falls in it.
const (
	steps      = 4
	maxBuckets = 24 * steps // up to four and a half hours
)

// bucket returns the bucket of an answer that took d: 0 for up to a millisecond.
func bucket(d time.Duration) int {
	if d <= time.Millisecond {
		return 0
	}
	return min(int(math.Ceil(steps*math.Log2(float64(d)/float64(time.Millisecond)))), maxBuckets-1)
}

// middle returns the geometric middle of a bucket.
func middle(bucket int) time.Duration {
	return time.Duration(float64(time.Millisecond) * math.Exp2((float64(bucket)-0.5)/steps))
}

// Add counts an attempt. delivered says whether it succeeded.
func (s *Slot) Add(a *store.Attempt, delivered bool) {
	if delivered {
		s.delivered++
	} else {
		s.failed++
	}
	if a.Status == 0 {
		return // it was not answered
	}
	s.answered(bucket(a.Duration), 1)
}

func (s *Slot) answered(bucket int, n uint64) {
	for len(s.took) <= bucket {
		s.took = append(s.took, 0)
	}
	s.took[bucket] += n
}

// Merge adds what other counted.
func (s *Slot) Merge(other *Slot) {
	s.delivered += other.delivered
	s.failed += other.failed
	for i, n := range other.took {
		if n > 0 {
			s.answered(i, n)
		}
	}
}

// Window returns the figures.
func (s *Slot) Window() store.Window {
	return store.Window{
		Delivered: int(s.delivered),
		Failed:    int(s.failed),
		P50:       s.percentile(50),
		P95:       s.percentile(95),
	}
}

// percentile returns a time within which p % of the answers came; zero when there were none.
func (s *Slot) percentile(p uint64) time.Duration {
	total := uint64(0)
	for _, n := range s.took {
		total += n
	}
	rank, seen := (total*p+99)/100, uint64(0)
	for i, n := range s.took {
		if seen += n; n > 0 && seen >= rank {
			return middle(i)
		}
	}
	return 0
}

// Append appends the slot in binary form to b: its counts, then for each bucket that is not empty how many it lies after
// the last and what it has, all as unsigned varints.
func (s *Slot) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, s.delivered)
	b = binary.AppendUvarint(b, s.failed)
	last := -1
	for i, n := range s.took {
		if n > 0 {
			b = binary.AppendUvarint(b, uint64(i-last))
			b = binary.AppendUvarint(b, n)
			last = i
		}
	}
	return b
}

var errFormat = errors.New("tally: a record of counts is damaged")

// Parse reads what Append wrote. It refuses everything else.
func Parse(b []byte) (Slot, error) {
	var s Slot
	bad := false
	next := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			bad, b = true, nil
			return 0
		}
		b = b[size:]
		return n
	}
	s.delivered, s.failed = next(), next()
	for at := -1; len(b) > 0; {
		gap, n := next(), next()
		if bad || gap == 0 || gap > maxBuckets || at+int(gap) >= maxBuckets || n == 0 {
			return Slot{}, errFormat
		}
		at += int(gap)
		s.answered(at, n)
	}
	if bad {
		return Slot{}, errFormat
	}
	return s, nil
}
