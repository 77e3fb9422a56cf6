package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/internal/bench/chart"
)

// bin is how long one step of the lines around a kill is.
const bin = 20 * time.Millisecond

// picture draws what was seen.
func picture(k *kills, synced, unsynced *cuts) chart.Sheet {
	v := &k.verdict
	totals := []chart.Figure{
		{Name: "kills, each at a random moment", Value: fmt.Sprint(k.n)},
		{Name: "events acknowledged", Value: fmt.Sprint(v.Acked)},
		{Name: "requests answered, of two webhooks", Value: fmt.Sprint(v.Arrived)},
		{Name: "lost", Value: fmt.Sprint(v.Lost), Tone: chart.Good},
		{Name: "repeated, for each kill", Value: fmt.Sprintf("%.1f", float64(v.Doubled)/float64(k.n))},
		{Name: "deliveries go on, after the kill", Value: fmt.Sprintf("%d ms at the median",
			k.on[len(k.on)/2].Milliseconds())},
	}
	power := []chart.Figure{
		{Name: "steps at which the power was cut", Value: fmt.Sprint(synced.steps)},
		{Name: "different files left, opened and searched", Value: fmt.Sprint(synced.files)},
		{Name: "with an acknowledged event missing", Value: fmt.Sprint(synced.bad), Tone: chart.Good},
	}
	var words []string
	for _, r := range slices.Concat(totals, power) {
		words = append(words, r.Name+": "+r.Value+".")
	}
	words = append(words, fmt.Sprintf("Without syncs %d of %d files are bad.", unsynced.bad,
		unsynced.files))
	return chart.Sheet{
		Title: "What a kill and a power cut do",
		Subtitle: fmt.Sprintf("A host on boltstore that publishes and delivers, killed by SIGKILL and "+
			"started again at once. %s/%s, %d processors, %s.", runtime.GOOS, runtime.GOARCH,
			runtime.NumCPU(), runtime.Version()),
		Description: strings.Join(words, " "),
		Parts: []chart.Part{
			k.shown.curves(), chart.Table{Heading: "All kills", Rows: totals},
			synced.curves("The power is cut at each step of a run: what is then in the file",
				"events in the file, at least", chart.Good),
			chart.Table{Rows: power},
			unsynced.curves(fmt.Sprintf("The same with a host that does not sync, to see that it "+
				"would show: %d of %d files are bad", unsynced.bad, unsynced.files),
				"events in the file, at least", chart.Bad),
		},
		Note: "At each step all, none and random parts of what was not synced are lost. Drawn is " +
			"the worst of these. A power cut is a replay of the host's system calls on a model of a disk.",
	}
}

// curves draws what was seen around a kill.
func (d *death) curves() chart.Curves {
	acked, arrived, repeated := bins(d.acked), bins(d.arrived), bins(d.repeated)
	most := 1.0
	for _, p := range slices.Concat(acked, arrived) {
		most = max(most, p.Y)
	}
	c := chart.Curves{
		Heading: fmt.Sprintf("One of the kills, in steps of %d ms", bin.Milliseconds()),
		Lines: []chart.Line{
			{Name: "requests answered with 200", Tone: chart.Good, Points: arrived, Steps: true,
				Filled: true},
			{Name: "events acknowledged", Tone: chart.Strong, Points: acked, Steps: true},
			{Name: "repeated", Tone: chart.Bad, Points: repeated, Steps: true, Filled: true},
		},
		X: chart.Axis{Label: "since the kill"},
		Y: chart.Linear(most, func(v float64) string { return fmt.Sprintf("%g", v) }),
		Marks: []chart.Tick{
			{At: 0, Text: "killed"},
			{At: ms(d.opened), Text: fmt.Sprintf("the file is open again, %d ms", d.opened.Milliseconds())},
			{At: ms(d.on), Text: fmt.Sprintf("deliveries go on, %d ms", d.on.Milliseconds())},
		},
	}
	for at := -200 * time.Millisecond; at <= after; at += 200 * time.Millisecond {
		text := fmt.Sprintf("%d ms", at.Milliseconds())
		c.X.Ticks = append(c.X.Ticks, chart.Tick{At: ms(at), Text: text})
	}
	return c
}

// bins counts times by bin, from the beginning to the end of what is shown.
func bins(times []time.Duration) (points []chart.Point) {
	for start := -before / bin * bin; start < after; start += bin {
		n := 0
		for _, t := range times {
			if t >= start && t < start+bin {
				n++
			}
		}
		points = append(points, chart.Point{X: ms(start), Y: float64(n)})
	}
	return points
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// curves draws how many events were acknowledged at each step, and how many a cut leaves.
func (c *cuts) curves(heading, name string, tone chart.Tone) chart.Curves {
	line := func(name string, tone chart.Tone, values []int, filled bool) chart.Line {
		l := chart.Line{Name: name, Tone: tone, Steps: true, Filled: filled}
		for i, v := range values { // a point where the value changes, and at the end
			if i == 0 || v != values[i-1] || i == len(values)-1 {
				l.Points = append(l.Points, chart.Point{X: float64(i), Y: float64(v)})
			}
		}
		return l
	}
	plain := func(v float64) string { return fmt.Sprintf("%g", v) }
	most := float64(max(slices.Max(c.acked), slices.Max(c.found)))
	return chart.Curves{
		Heading: heading,
		X: chart.Axis{Label: "steps of the run: each write, sync and message", Ticks: []chart.Tick{
			{At: 0, Text: "0"}, {At: float64(len(c.acked) / 2), Text: fmt.Sprint(len(c.acked) / 2)},
			{At: float64(len(c.acked)), Text: fmt.Sprint(len(c.acked))},
		}},
		Y: chart.Linear(most, plain),
		Lines: []chart.Line{
			line(name, tone, c.found, true),
			line("events acknowledged", chart.Strong, c.acked, false),
		},
	}
}
