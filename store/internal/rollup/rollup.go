// Package rollup counts attempts in buckets of five minutes: what the stores make a
// store.AttemptStats, and store.Figures, of.
//
// A store keeps one Bucket for each subscription and five minutes in which something was recorded,
// and drops those that are older than Kept. For its Stats it merges those of the last hour or day
// in a [Window]: so those figures reach back up to five minutes further than the hour or the day.
// For Figures it merges them in a [Series]. Inside of a bucket each minute is counted apart.
// Answer times are exact to within a tenth, however many there are.
package rollup

import (
	"math"
	"slices"
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

// Kept is how long buckets are kept: three days, for Figures by the hour.
const Kept = 3 * Day

// All is the number that stands for all subscriptions together, those that are deleted included:
// no subscription has it.
const All = 0

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

// A Bucket is what was counted of one subscription in some time, at most five minutes of it apart.
// The zero value is an empty one. It is not safe for concurrent use.
type Bucket struct {
	parts []part // of minutes in which something was counted, in their order
}

// part is what was counted in a minute of a bucket.
type part struct {
	minute int // from 0 to partsOf-1
	counts
}

// partsOf is how many minutes a bucket has.
const partsOf = int(Length / time.Minute)

// minuteOf returns the minute of its bucket that a moment falls in.
func minuteOf(t time.Time) int {
	return int((t.Unix() - At(t)*int64(Length/time.Second)) / 60)
}

// counts are the sums of some attempts.
type counts struct {
	delivered, failed uint64

	// took counts answers by how long they took: took[i] those of up to bound(i), as far as there
	// are any.
	took []uint64
}

// Each cell of counts.took reaches further than the one before by the steps-th root of two, which
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

// Add counts an attempt that was recorded at a moment of the bucket. delivered says whether it
// succeeded.
func (b *Bucket) Add(at time.Time, a *store.Attempt, delivered bool) {
	c := b.part(minuteOf(at))
	if delivered {
		c.delivered++
	} else {
		c.failed++
	}
	if a.Status == 0 {
		return // it was not answered
	}
	c.answered(cell(a.Duration), 1)
}

// part returns the counts of a minute, which it makes if there are none. From the end, because it
// is the last minute as a rule.
func (b *Bucket) part(minute int) *counts {
	i := len(b.parts)
	for i > 0 && b.parts[i-1].minute > minute {
		i--
	}
	if i > 0 && b.parts[i-1].minute == minute {
		return &b.parts[i-1].counts
	}
	b.parts = slices.Insert(b.parts, i, part{minute: minute})
	return &b.parts[i].counts
}

// Merge adds what other counted.
func (b *Bucket) Merge(other *Bucket) {
	for i := range other.parts {
		b.part(other.parts[i].minute).merge(&other.parts[i].counts)
	}
}

// flatten forgets the minutes.
func (b *Bucket) flatten() {
	if len(b.parts) < 2 {
		return
	}
	sum := part{minute: b.parts[0].minute, counts: b.sum()}
	b.parts = []part{sum}
}

// sum returns what all minutes have together.
func (b *Bucket) sum() (all counts) {
	for i := range b.parts {
		all.merge(&b.parts[i].counts)
	}
	return all
}

// empty reports whether nothing was counted.
func (b *Bucket) empty() bool { return len(b.parts) == 0 }

// Stats returns the figures.
func (b *Bucket) Stats() store.AttemptStats {
	all := b.sum()
	return all.stats()
}

// answered counts n answers of a cell. took grows to the slowest answer and no further: most
// buckets have a few quick ones.
func (b *counts) answered(cell int, n uint64) {
	for len(b.took) <= cell {
		b.took = append(b.took, 0)
	}
	b.took[cell] += n
}

// merge adds what other counted.
func (b *counts) merge(other *counts) {
	b.delivered += other.delivered
	b.failed += other.failed
	for i, n := range other.took {
		if n > 0 {
			b.answered(i, n)
		}
	}
}

// stats returns the figures.
func (b *counts) stats() store.AttemptStats {
	f := b.figure()
	return f.Stats()
}

// figure returns the sums. A time in it is the middle of a cell, so it is never one that was
// measured, and a reader must not compare it with one to the millisecond.
func (b *counts) figure() store.Figure {
	f := store.Figure{Delivered: int(b.delivered), Failed: int(b.failed)}
	for i, n := range b.took {
		if n > 0 {
			f.Answers = append(f.Answers, store.Answers{Took: middle(i), Count: int(n)})
		}
	}
	return f
}
