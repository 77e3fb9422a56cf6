package rollup_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// TestSeries counts one attempt each minute for four days, and looks at both resolutions at several
// moments, within a bucket and at its edges.
func TestSeries(t *testing.T) {
	end := noon.Add(4 * 24 * time.Hour)
	b := rollup.NewBuffer(rollup.Options{})
	for at := noon; at.Before(end); at = at.Add(time.Minute) {
		b.Add(1, at.Add(59*time.Second), attempt(200, time.Second), true)
	}
	if n, _ := b.Len(); n != 865 {
		t.Errorf("memory has %d buckets, want those of three days", n)
	}
	for _, now := range []time.Time{
		end.Add(-time.Second), end.Add(-time.Minute), end.Add(-61 * time.Second),
	} {
		for per, want := range map[store.Resolution]int{store.PerMinute: 1, store.PerHour: 60} {
			s := rollup.NewSeries(now, per)
			first, last := s.Range()
			b.Of(1, func(row rollup.Row) {
				if row.At >= first && row.At <= last {
					s.Add(row.At, row.Counts)
				}
			})
			f := s.Figures()
			if len(f.Sums) != per.Count() || f.Each != per.Each() ||
				!f.Start.Equal(now.Truncate(f.Each).Add(f.Each-time.Duration(len(f.Sums))*f.Each)) {
				t.Errorf("%v: %d figures of %v from %v", now, len(f.Sums), f.Each, f.Start)
			}
			for i := range f.Sums {
				if got := f.Sums[i].Delivered; got != want {
					t.Errorf("%v: %d in figure %d of %d, want %d", now, got, i, len(f.Sums), want)
				}
			}
		}
	}
}

// TestSeriesOfAnotherTime has nothing of what is past, or of the future.
func TestSeriesOfAnotherTime(t *testing.T) {
	s := rollup.NewSeries(noon.Add(2*time.Minute), store.PerMinute)
	for _, at := range []time.Time{
		noon.Add(3 * time.Minute), noon.Add(-58 * time.Minute), noon.Add(-time.Hour),
	} {
		var b rollup.Bucket
		b.Add(at, attempt(200, time.Second), true)
		s.Add(rollup.At(at), &b)
	}
	for i, f := range s.Figures().Sums {
		if f.Delivered != 0 {
			t.Errorf("figure %d has %d", i, f.Delivered)
		}
	}
}

// TestMinutesAreForgotten checks that a bucket of which no figures by the minute are asked any more
// takes as little memory as one minute.
func TestMinutesAreForgotten(t *testing.T) {
	b := rollup.NewBuffer(rollup.Options{})
	for i := range 5 {
		b.Add(1, noon.Add(time.Duration(i)*time.Minute), attempt(200, time.Second), true)
	}
	size := func() (n, delivered int) {
		b.Of(1, func(row rollup.Row) {
			if row.At == rollup.At(noon) {
				n, delivered = len(row.Counts.Append(nil)), row.Counts.Stats().Delivered
			}
		})
		return n, delivered
	}
	whole, _ := size()
	b.Add(1, noon.Add(time.Hour+2*rollup.Length), attempt(200, time.Second), true)
	if n, delivered := size(); n*4 > whole || delivered != 5 {
		t.Errorf("the bucket takes %d bytes of %d and has %d, want a fifth and 5", n, whole, delivered)
	}
}
