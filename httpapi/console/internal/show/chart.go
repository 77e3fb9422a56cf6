package show

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Chart shows attempts over time as bars: those that succeeded, and above them those that did not.
type Chart struct {
	Label string // what it shows, in words
	Bars  []bar
	Width int
	From  time.Time  // when the first bar begins
	Most  string     // how high the highest is, in words
	Rows  []chartRow // the same numbers, of the times in which there were attempts
	Total store.Figure
}

// The size of a chart, in the units of its picture.
const (
	chartHeight = 48
	barWidth    = 8 // with the space to the next
)

// bar is a bar of a chart: where it is, and the heights of its parts.
type bar struct {
	Title               string // its numbers
	X                   int
	GoodY, Good, Y, Bad int
}

// chartRow is a line of the table that has a chart's numbers.
type chartRow struct {
	At                time.Time
	Delivered, Failed int
}

// NewChart returns the chart of the last figures; those that are older count for nothing.
func NewChart(figures *store.Figures, per store.Resolution, last int) Chart {
	first := max(len(figures.Sums)-last, 0)
	sums := figures.Sums[first:]
	most := 1
	for i := range sums {
		most = max(most, sums[i].Delivered+sums[i].Failed)
	}
	at := func(i int) time.Time { return figures.Start.Add(time.Duration(first+i) * figures.Each) }
	c := Chart{Width: len(sums)*barWidth - 2, From: at(0)}
	for i := range sums {
		s := &sums[i]
		c.Total.Add(s)
		if s.Delivered+s.Failed == 0 {
			continue
		}
		good, bad := heights(s.Delivered, s.Failed, most, chartHeight)
		c.Bars = append(c.Bars, bar{
			Title: Clock(at(i)) + ": " + Number(s.Delivered) + " succeeded, " + Number(s.Failed) + " failed",
			X:     i * barWidth, GoodY: chartHeight - good, Good: good,
			Y: chartHeight - good - bad, Bad: bad,
		})
		c.Rows = append(c.Rows, chartRow{At: at(i), Delivered: s.Delivered, Failed: s.Failed})
	}
	each := "minute"
	if per == store.PerHour {
		each = "hour"
	}
	c.Most = "at most " + Number(most) + " in one " + each
	c.Label = fmt.Sprintf("Attempts by the %s: %s succeeded and %s failed, %s at most in one", each,
		Number(c.Total.Delivered), Number(c.Total.Failed), Number(most))
	return c
}

// Tried is how many attempts a chart has; Success is the share that succeeded, P50 and P95 the
// times within which half and 95 % of the answers came.
func (c Chart) Tried() int         { return c.Total.Delivered + c.Total.Failed }
func (c Chart) P50() time.Duration { return c.Total.Percentile(50) }
func (c Chart) P95() time.Duration { return c.Total.Percentile(95) }
func (c Chart) Success() float64 {
	s := c.Total.Stats()
	return s.SuccessRate()
}
