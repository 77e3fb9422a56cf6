package form

import (
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// FilterTests is what the filter of a form takes of the recent events.
type FilterTests struct {
	Tenant string // whose events they are, for the links of an operator
	Taken  int    // how many of them
	Rows   []FilterTest
}

// FilterTest is one event.
type FilterTest struct {
	EventID, Type string
	At            time.Time
	Takes         bool
	Sent, Whole   int // bytes of the payload
}

// NewFilterTests returns what a page shows of tests.
func NewFilterTests(tests []dispatcher.FilterTest) *FilterTests {
	out := new(FilterTests)
	for i := range tests {
		t := &tests[i]
		whole, _ := events.PayloadOf(t.Event.Body)
		out.Rows = append(out.Rows, FilterTest{
			EventID: t.Event.ID, Type: t.Event.Type, At: t.Event.Time, Takes: t.Takes,
			Sent: len(t.Payload), Whole: len(whole),
		})
		if t.Takes {
			out.Taken++
		}
	}
	return out
}

// Paths returns the fields of the form.
func (f *Webhook) Paths() (paths []string) {
	for line := range strings.Lines(f.Fields) {
		if line = strings.TrimSpace(line); line != "" {
			paths = append(paths, line)
		}
	}
	return paths
}

// SetChoice sets on a subscription which events it gets, and what of them.
func (f *Webhook) SetChoice(sub *store.Subscription, patterns []string) {
	sub.Events, sub.Filter = patterns, f.Filter
	// The same paths stay as they are stored.
	if paths := f.Paths(); !slices.Equal(paths, sub.Fields) {
		sub.Fields = paths
	}
}
