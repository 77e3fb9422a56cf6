package rollup

import (
	"time"

	"github.com/outhook/outhook/store"
)

// Series adds up buckets minute by minute for an hour, or hour by hour for three days: what a store
// makes a store.Figures of. Make one with [NewSeries]. A store adds to it what it has written and
// what its [Buffer] says is missing, of any number of subscriptions, in any order. It is not safe
// for concurrent use.
type Series struct {
	start time.Time     // of the first sum
	each  time.Duration // how long each is
	sums  []counts
}

// NewSeries returns an empty Series whose last minute, or hour, is the one of now.
func NewSeries(now time.Time, per store.Resolution) *Series {
	s := &Series{each: per.Each(), sums: make([]counts, per.Count())}
	s.start = now.UTC().Truncate(s.each).Add(-time.Duration(len(s.sums)-1) * s.each)
	return s
}

// Range returns the numbers of the first and the last bucket that count.
func (s *Series) Range() (first, last int64) {
	return At(s.start), At(s.start.Add(time.Duration(len(s.sums))*s.each - 1))
}

// Add adds a bucket with its number. Minutes that are past do not count, nor do those of the
// future: a clock was set back.
func (s *Series) Add(at int64, b *Bucket) {
	begins := time.Unix(at*int64(Length/time.Second), 0)
	for i := range b.parts {
		after := begins.Add(time.Duration(b.parts[i].minute) * time.Minute).Sub(s.start)
		if after < 0 || after/s.each >= time.Duration(len(s.sums)) {
			continue
		}
		s.sums[after/s.each].merge(&b.parts[i].counts)
	}
}

// Figures returns the sums.
func (s *Series) Figures() store.Figures {
	f := store.Figures{Start: s.start, Each: s.each, Sums: make([]store.Figure, len(s.sums))}
	for i := range s.sums {
		f.Sums[i] = s.sums[i].figure()
	}
	return f
}
