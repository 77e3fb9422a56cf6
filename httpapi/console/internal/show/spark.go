package show

import (
	"strconv"
	"strings"

	"github.com/outhook/outhook/store"
)

// Spark is a chart that fits in a line of a table: a bar for each of the last hours, the failed
// attempts above those that succeeded. Its parts are paths of vertical lines, which take few bytes
// in a list of many.
type Spark struct {
	Good, Bad string // of a path, sparkStep for each bar
	Tried     int    // attempts
	Success   float64
	Width     int
	Label     string // what it shows, in words
}

// The size of a Spark, in the units of its picture, and how many bars it has.
const (
	SparkHours  = 24
	sparkStep   = 3
	sparkHeight = 16
)

// NewSpark returns the chart of the last SparkHours of figures by the hour. Its numbers are those
// of day, which are on other pages too: the first of the hours is not all of it within the day.
func NewSpark(figures *store.Figures, day *store.AttemptStats) Spark {
	s := Spark{Width: SparkHours * sparkStep, Tried: day.Delivered + day.Failed,
		Success: day.SuccessRate()}
	if s.Tried == 0 {
		return s
	}
	first := max(len(figures.Sums)-SparkHours, 0)
	sums := figures.Sums[first:]
	most := 1
	for i := range sums {
		most = max(most, sums[i].Delivered+sums[i].Failed)
	}
	var good, bad strings.Builder
	for i := range sums {
		up, over := heights(sums[i].Delivered, sums[i].Failed, most, sparkHeight)
		x := i*sparkStep + 1
		line(&good, x, sparkHeight, up)
		line(&bad, x, sparkHeight-up, over)
	}
	s.Good, s.Bad = good.String(), bad.String()
	s.Label = Percent(s.Success) + " of " + Number(s.Tried) + " attempts succeeded; " +
		Number(most) + " at most in an hour"
	return s
}

// heights returns how high the parts of a bar are that shows so many attempts, where most are as
// high as the chart. None is zero if there is one, and they are not higher than the chart together.
func heights(good, bad, most, height int) (up, over int) {
	up = (good*height + most - 1) / most
	over = (bad*height + most - 1) / most
	up = min(up, height-min(over, height-1))
	return up, min(over, height-up)
}

// line adds a line of a length upwards, unless that is zero.
func line(b *strings.Builder, x, y, length int) {
	if length > 0 {
		b.WriteString("M" + strconv.Itoa(x) + " " + strconv.Itoa(y) + "v-" + strconv.Itoa(length))
	}
}
