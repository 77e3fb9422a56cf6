package chart_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/bench/chart"
)

// drawn reads a sheet with the parts; it must be well-formed.
func drawn(t *testing.T, parts ...chart.Part) (all []element) {
	t.Helper()
	s := chart.Sheet{Title: "a < b", Description: "c & d", Parts: parts}
	for d := xml.NewDecoder(strings.NewReader(string(s.SVG()))); ; {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{token.Name.Local, make(map[string]string), ""}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			all = append(all, e)
		case xml.CharData:
			all[max(len(all)-1, 0)].text += string(token)
		}
	}
}

// only returns the elements of a name whose class begins with a word.
func only(all []element, name, class string) []element {
	return slices.DeleteFunc(slices.Clone(all), func(e element) bool {
		return e.name != name || !strings.HasPrefix(e.attrs["class"]+" ", class+" ")
	})
}

// TestSheetIsAccessible checks that a sheet has a title and a description, and the colours of a
// dark page.
func TestSheetIsAccessible(t *testing.T) {
	all := drawn(t)
	for name, want := range map[string]string{"title": "a < b", "desc": "c & d"} {
		if got := only(all, name, ""); len(got) != 1 || strings.TrimSpace(got[0].text) != want {
			t.Errorf("%s is %v, want %q", name, got, want)
		}
	}
	if !strings.Contains(string(chart.Sheet{}.SVG()), "prefers-color-scheme:dark") {
		t.Error("the sheet has no dark colours")
	}
}

// TestTimeline checks that a longer wait has a longer line, in the colour of what it waits for.
func TestTimeline(t *testing.T) {
	all := drawn(t, chart.Timeline{Moments: []chart.Moment{
		{At: 0, Text: "a", Then: chart.Strong},
		{At: 10 * time.Second, Text: "b", Then: chart.Bad},
		{At: 1000 * time.Second, Text: "c"},
	}})
	length := func(class string) float64 {
		lines := only(all, "line", class)
		if len(lines) != 1 {
			t.Fatalf("%d lines of class %s, want 1", len(lines), class)
		}
		return number(t, lines[0], "y2") - number(t, lines[0], "y1")
	}
	if short, long := length("o"), length("x"); long <= short {
		t.Errorf("990 s are %v long, and 10 s %v", long, short)
	}
}

// TestSpans checks that pieces are where their times say.
func TestSpans(t *testing.T) {
	all := drawn(t, chart.Spans{
		Ticks: []chart.Tick{{At: 0}, {At: 4}},
		Rows: []chart.Span{{Pieces: []chart.Piece{
			{From: 1, To: 2, Tone: chart.Strong}, {From: 2, To: 4, Tone: chart.Waiting},
		}}},
	})
	blue, amber := only(all, "rect", "o"), only(all, "rect", "w")
	if len(blue) != 1 || len(amber) != 1 {
		t.Fatalf("%d and %d pieces, want one each", len(blue), len(amber))
	}
	width := number(t, blue[0], "width")
	if got := number(t, amber[0], "width"); math.Abs(got-2*width) > 0.2 {
		t.Errorf("a piece of 2 is %v wide, and one of 1 %v", got, width)
	}
	end := number(t, blue[0], "x") + width
	if got := number(t, amber[0], "x"); math.Abs(got-end) > 0.2 {
		t.Errorf("the second piece begins at %v, want %v", got, end)
	}
}

// TestCurves checks where the points of a line are.
func TestCurves(t *testing.T) {
	all := drawn(t, chart.Curves{
		X:     chart.Axis{Ticks: []chart.Tick{{At: 0}, {At: 2}}},
		Y:     chart.Linear(4, func(v float64) string { return fmt.Sprint(v) }),
		Lines: []chart.Line{{Dots: true, Points: []chart.Point{{0, 0}, {1, 1}, {2, 4}}}},
	})
	dots := only(all, "circle", "n")
	if len(dots) != 3 {
		t.Fatalf("%d dots, want 3", len(dots))
	}
	x := func(i int) float64 { return number(t, dots[i], "cx") }
	y := func(i int) float64 { return number(t, dots[i], "cy") }
	if math.Abs((x(2)-x(1))-(x(1)-x(0))) > 0.2 || x(1) <= x(0) {
		t.Errorf("the dots are at %v, %v and %v, want equal steps", x(0), x(1), x(2))
	}
	if math.Abs((y(0)-y(2))-4*(y(0)-y(1))) > 0.3 || y(1) >= y(0) {
		t.Errorf("the dots are at heights of %v, %v and %v, want 0, 1 and 4", y(0), y(1), y(2))
	}
}

// TestTicks checks that an axis reaches around what it is for, in round numbers.
func TestTicks(t *testing.T) {
	plain := func(v float64) string { return fmt.Sprintf("%.6g", v) }
	for _, tt := range []struct {
		name string
		got  []chart.Tick
		want string
	}{
		{"linear, 7", chart.Linear(7, plain), "0 2 4 6 8"},
		{"linear, 1.8", chart.Linear(1.8, plain), "0 0.5 1 1.5 2"},
		{"linear, 0", chart.Linear(0, plain), "0 0.5 1"},
		{"logarithmic, 0.3 to 4", chart.Logarithmic(0.3, 4, plain), "0.2 0.5 1 2 5"},
		{"logarithmic, 0.3 to 40", chart.Logarithmic(0.3, 40, plain), "0.1 1 10 100"},
		{"logarithmic, 1 to 1", chart.Logarithmic(1, 1, plain), "1 2"},
	} {
		var texts []string
		for _, tick := range tt.got {
			texts = append(texts, tick.Text)
		}
		if got := strings.Join(texts, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
