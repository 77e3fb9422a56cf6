package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/outhook/outhook/internal/bench/usage"
)

// bound says which side of its target a figure has to be on.
type bound bool

const (
	atLeast bound = false
	atMost  bound = true
)

func (b bound) String() string {
	if b == atMost {
		return "≤"
	}
	return "≥"
}

// figure is a target with what was reached.
type figure struct {
	name    string
	work    string
	measure string
	value   float64
	unit    string
	target  float64
	bound   bound
}

func (f *figure) reached() bool {
	if f.bound == atMost {
		return f.value <= f.target
	}
	return f.value >= f.target
}

// table collects what the run prints.
type table struct {
	figures []figure
	details [][]string
	notes   []string
}

func (t *table) add(f figure) { t.figures = append(t.figures, f) }

// note adds a line below the tables.
func (t *table) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// addDetail adds the absolute figures of all rounds of one side of a load.
func (t *table) addDetail(name, work string, rounds []usage.Spent) {
	of := func(format string, get func(usage.Spent) float64) string {
		var values []float64
		for _, s := range rounds {
			values = append(values, get(s))
		}
		return fmt.Sprintf(format, median(values))
	}
	t.details = append(t.details, []string{
		name, work,
		of("%.0f", func(s usage.Spent) float64 { return s.Rate }),
		of("%.1f", func(s usage.Spent) float64 { return s.CPU }),
		of("%.0f", func(s usage.Spent) float64 { return s.Allocs }),
		of("%.1f", func(s usage.Spent) float64 { return s.Bytes / 1024 }),
		of("%.1f", func(s usage.Spent) float64 { return s.Syncs }),
		of("%.0f", func(s usage.Spent) float64 { return s.Written }),
		of("%.0f", func(s usage.Spent) float64 { return s.Anon }),
		of("%.0f", func(s usage.Spent) float64 { return float64(s.Routines) }),
	})
}

// print prints all.
func (t *table) print(out io.Writer) {
	if len(t.figures) > 0 {
		w := newColumns(out, "", "work", "measure", "reached", "target", "")
		for _, f := range t.figures {
			reached := "yes"
			if !f.reached() {
				reached = "NO"
			}
			w.row(f.name, f.work, f.measure, number(f.value)+f.unit,
				f.bound.String()+" "+number(f.target)+f.unit, reached)
		}
		w.end()
	}
	if len(t.details) > 0 {
		w := newColumns(out, "", "work", "deliveries/s", "CPU µs", "allocations", "KiB allocated",
			"syncs/1,000", "bytes written", "anon MiB", "goroutines")
		for _, d := range t.details {
			w.row(d...)
		}
		w.end()
	}
	for _, n := range t.notes {
		fmt.Fprintln(out, n)
	}
}

// columns is a table in the making, in Markdown.
type columns struct{ w *tabwriter.Writer }

func newColumns(out io.Writer, heads ...string) columns {
	c := columns{tabwriter.NewWriter(out, 0, 0, 0, ' ', 0)}
	c.row(heads...)
	for range heads {
		fmt.Fprint(c.w, "|---")
	}
	fmt.Fprintln(c.w, "|")
	return c
}

func (c columns) row(cells ...string) {
	for _, cell := range cells {
		fmt.Fprintf(c.w, "| %s\t ", cell)
	}
	fmt.Fprintln(c.w, "|")
}

func (c columns) end() {
	c.w.Flush()
	fmt.Fprintln(c.w)
	c.w.Flush()
}

// number prints what matters of a number.
func number(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 20:
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}
