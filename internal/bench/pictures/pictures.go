// Package pictures draws what package main has measured for docs/pictures. The command is
//
//	go run ./internal/bench -draw docs/pictures
package pictures

import (
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/outhook/outhook/internal/bench/chart"
	"github.com/outhook/outhook/internal/bench/eventpath"
	"github.com/outhook/outhook/internal/bench/receiver"
)

// machine says what it was measured on.
func machine() string {
	return fmt.Sprintf("%s/%s, %d processors, %s",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}

const sameMachine = "; the receiver is on the same machine."

// time prints so many ms.
func time(ms float64) string {
	switch {
	case ms < 0.0995:
		return fmt.Sprintf("%.0f µs", ms*1000)
	case ms < 9.95:
		return fmt.Sprintf("%.2g ms", ms)
	case ms >= 999.5:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// tick prints a time on an axis.
func tick(ms float64) string {
	if ms >= 1000 {
		return fmt.Sprintf("%g s", math.Round(ms)/1000)
	}
	return fmt.Sprintf("%g ms", math.Round(ms*1000)/1000)
}

// count prints a number with its thousands apart.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Event draws the path of an event that is alone, and of one among many.
func Event(alone, among eventpath.Path) chart.Sheet {
	s := chart.Sheet{
		Title: "The path of one event",
		Subtitle: "From the call of Publish until the outcome is on disk; medians. " + machine() +
			sameMachine,
		Note: "The disk is writing the pages and two syncs, as bbolt counts them. A step may " +
			"begin before the one above it has ended: Run may claim an event before Publish has returned.",
	}
	for i, p := range []eventpath.Path{alone, among} {
		what := fmt.Sprintf("Alone (%s events, %s a second)", count(p.Events), count(p.Rate))
		if i == 1 {
			what = fmt.Sprintf("Among others (%s events, %s a second)", count(p.Events), count(p.Rate))
		}
		spans := chart.Spans{Heading: what, Keys: []chart.Key{
			{Tone: chart.Strong, Text: "at work"}, {Tone: chart.Pale, Text: "waiting for a commit"},
			{Tone: chart.Waiting, Text: "the disk"},
		}}
		var words []string
		end := 0.0
		for _, step := range p.Steps {
			took := max(step.Took(), 0)
			row := chart.Span{Label: step.Name, Text: time(took)}
			if step.Disk > 0 {
				row.Pieces = []chart.Piece{
					{From: step.From, To: max(step.From, step.To-step.Disk), Tone: chart.Pale},
					{From: max(step.From, step.To-step.Disk), To: step.To, Tone: chart.Waiting},
				}
			} else {
				row.Pieces = []chart.Piece{{From: step.From, To: step.From + took, Tone: chart.Strong}}
			}
			end = max(end, step.To)
			spans.Rows = append(spans.Rows, row)
			words = append(words, step.Name+" "+time(took))
		}
		spans.Ticks = chart.Linear(end, tick)
		s.Parts = append(s.Parts, spans)
		s.Description += what + ": " + strings.Join(words, ", ") + ". "
	}
	s.Description = strings.TrimSpace(s.Description)
	return s
}

// Rate is what was measured at so many events a second.
type Rate struct {
	Events    int
	Ours, Raw receiver.Latency
}

// Latency draws how long events take until they arrive.
func Latency(rates []Rate) chart.Sheet {
	s := chart.Sheet{
		Title: "From Publish to arrival",
		Subtitle: "The share of events that had arrived after a time. outhook stores each event on " +
			"disk first; raw is a plain net/http client that stores nothing. " + machine() + sameMachine,
	}
	for _, r := range rates {
		p := chart.Curves{
			Heading: fmt.Sprintf("%s events a second", count(r.Events)),
			X: chart.Axis{Label: "share of all events", Ticks: []chart.Tick{
				{At: rare(0.1), Text: ""}, {At: rare(0.5), Text: "50 %"}, {At: rare(0.9), Text: "90 %"},
				{At: rare(0.99), Text: "99 %"}, {At: rare(0.999), Text: "99.9 %"},
			}},
		}
		least, most := ms(r.Raw.Max), 0.0
		for _, of := range []struct {
			name string
			tone chart.Tone
			receiver.Latency
		}{
			{name: "outhook", tone: chart.Strong, Latency: r.Ours},
			{name: "raw", tone: chart.Neutral, Latency: r.Raw},
		} {
			l := chart.Line{Tone: of.tone, Name: fmt.Sprintf("%s: p50 %s, p99 %s", of.name,
				time(ms(of.P50)), time(ms(of.P99)))}
			for i, share := range receiver.Shares {
				v := ms(of.Shares[i])
				l.Points = append(l.Points, chart.Point{X: rare(share), Y: math.Log10(v)})
				least, most = min(least, v), max(most, v)
			}
			p.Lines = append(p.Lines, l)
			s.Description += fmt.Sprintf("%s events a second, %s; longest %s. ", count(r.Events), l.Name,
				time(ms(of.Max)))
		}
		p.Y = chart.Logarithmic(least, most, tick)
		s.Parts = append(s.Parts, p)
	}
	s.Description = strings.TrimSpace(s.Description)
	return s
}

// rare is the place of a share on an axis where what is a tenth as rare is one step farther.
func rare(share float64) float64 { return -math.Log10(1 - share) }

func ms(d interface{ Seconds() float64 }) float64 { return d.Seconds() * 1000 }

// Pending is what a store does with so many deliveries pending.
type Pending struct {
	Deliveries       int
	Deliver, Publish float64 // a second
	Open             float64 // ms
}

// Among is what a publisher waits for among so many subscriptions, one of which wants the event.
type Among struct {
	Subscriptions int
	Publish       float64 // ms, at the median
}

// Growth draws what a store does as more is in it.
func Growth(pending []Pending, among []Among) chart.Sheet {
	deliver := chart.Line{Name: "deliveries, 256 at a time", Tone: chart.Strong, Dots: true}
	publish := chart.Line{Name: "events, 100 at a time", Tone: chart.Good, Dots: true}
	open := chart.Line{Name: "opening the file", Tone: chart.Waiting, Dots: true}
	wait := chart.Line{Name: "Publish of one event, median", Tone: chart.Strong, Dots: true}
	var byPending, bySubscriptions []chart.Tick
	var rate, opening, waiting float64
	var words []string
	for _, p := range pending {
		x := math.Log10(float64(p.Deliveries))
		byPending = append(byPending, chart.Tick{At: x, Text: count(p.Deliveries)})
		deliver.Points = append(deliver.Points, chart.Point{X: x, Y: p.Deliver})
		publish.Points = append(publish.Points, chart.Point{X: x, Y: p.Publish})
		open.Points = append(open.Points, chart.Point{X: x, Y: p.Open})
		rate, opening = max(rate, p.Deliver, p.Publish), max(opening, p.Open)
		words = append(words, fmt.Sprintf("%s pending: %s deliveries and %s events a second, "+
			"opened in %s.", count(p.Deliveries), count(int(p.Deliver)), count(int(p.Publish)),
			time(p.Open)))
	}
	for _, a := range among {
		x := math.Log10(float64(a.Subscriptions))
		bySubscriptions = append(bySubscriptions, chart.Tick{At: x, Text: count(a.Subscriptions)})
		wait.Points = append(wait.Points, chart.Point{X: x, Y: a.Publish})
		waiting = max(waiting, a.Publish)
		words = append(words, fmt.Sprintf("%s subscriptions: Publish takes %s.",
			count(a.Subscriptions), time(a.Publish)))
	}
	return chart.Sheet{
		Title: "As more is stored",
		Subtitle: "boltstore alone, without HTTP. Toward the right it is ten times as much at each " +
			"step. " + machine() + ".",
		Description: strings.Join(words, " "),
		Parts: []chart.Part{
			chart.Curves{
				Heading: "How many a second: deliveries claimed and recorded, events published",
				X:       chart.Axis{Label: "deliveries pending", Ticks: byPending},
				Y:       chart.Linear(rate, func(v float64) string { return count(int(v)) }),
				Lines:   []chart.Line{deliver, publish},
			},
			chart.Curves{
				Heading: "Opening the file at a start",
				X:       chart.Axis{Label: "deliveries pending", Ticks: byPending},
				Y:       chart.Linear(opening, tick),
				Lines:   []chart.Line{open},
			},
			chart.Curves{
				Heading: "What a publisher waits for, on disk",
				X: chart.Axis{Label: "subscriptions, one of which wants the event",
					Ticks: bySubscriptions},
				Y:     chart.Linear(waiting, tick),
				Lines: []chart.Line{wait},
			},
		},
	}
}
