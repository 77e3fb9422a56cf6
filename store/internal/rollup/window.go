package rollup

import (
	"time"

	"github.com/outhook/outhook/store"
)

// Window adds up the buckets of one subscription for the last hour and the last day. Make one with
// [NewWindow]. A store adds to it what it has written and what its [Buffer] says is missing, in any
// order. It is not safe for concurrent use.
type Window struct {
	first, firstOfHour, last int64
	hour, day                counts
}

// NewWindow returns an empty Window that ends now.
func NewWindow(now time.Time) *Window {
	return &Window{first: First(now, Day), firstOfHour: First(now, Hour), last: At(now)}
}

// Range returns the numbers of the first and the last bucket that count.
func (w *Window) Range() (first, last int64) { return w.first, w.last }

// Add adds a bucket with its number. One that is past does not count, nor does one of the future: a
// clock was set back.
func (w *Window) Add(at int64, b *Bucket) {
	if at < w.first || at > w.last {
		return
	}
	sum := b.sum()
	w.day.merge(&sum)
	if at >= w.firstOfHour {
		w.hour.merge(&sum)
	}
}

// Hour returns the figures of the last hour.
func (w *Window) Hour() store.AttemptStats { return w.hour.stats() }

// Day returns the figures of the last day.
func (w *Window) Day() store.AttemptStats { return w.day.stats() }
