package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/outhook/outhook/internal/bench/chart"
)

// element is an element of a drawn picture.
type element struct {
	name  string
	attrs map[string]string
	text  string
}

// parse reads a picture; it must be well-formed.
func parse(t *testing.T, p chart.Picture) (all []element) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(string(p.SVG()))); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
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

func number(t *testing.T, e element, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(e.attrs[name], 64)
	if err != nil {
		t.Fatalf("%s of %v: %v", name, e, err)
	}
	return v
}

// TestBars checks that bars are as long as their values say.
func TestBars(t *testing.T) {
	all := parse(t, chart.Picture{Title: "a < b & c", Panels: []chart.Panel{{
		Series: []string{"one", "two"},
		Rows: []chart.Row{
			{Label: "ours", Ours: true, Values: []float64{1, 0.5}},
			{Label: "other", Values: []float64{0.25}},
			{Label: "none", Text: "not measured"},
		},
	}}})
	lengths := make(map[string]float64)
	for _, e := range all {
		if class := e.attrs["class"]; e.name == "rect" && e.attrs["height"] == "9" {
			lengths[class] = number(t, e, "width")
		}
	}
	longest := lengths["o0"]
	if longest == 0 || math.Abs(lengths["o1"]-longest/2) > 0.1 ||
		math.Abs(lengths["s0"]-longest/4) > 0.1 || len(lengths) != 3 {
		t.Errorf("the bars are %v, want 1, 0.5 and 0.25 of the first", lengths)
	}
	var texts []string
	for _, e := range all {
		texts = append(texts, e.text)
	}
	for _, want := range []string{"a < b & c", "ours", "other", "none", "not measured", "one", "two"} {
		if !strings.Contains(strings.Join(texts, "\n"), want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
}

// TestStack checks that the parts of a bar follow one another.
func TestStack(t *testing.T) {
	all := parse(t, chart.Picture{Panels: []chart.Panel{{Kind: chart.Stack, Series: []string{"a", "b"},
		Rows: []chart.Row{{Values: []float64{1, 3}}}}}})
	var parts []element
	for _, e := range all {
		if e.name == "rect" && e.attrs["height"] == "14" {
			parts = append(parts, e)
		}
	}
	if len(parts) != 2 {
		t.Fatalf("got %d parts, want 2", len(parts))
	}
	end := number(t, parts[0], "x") + number(t, parts[0], "width")
	if got := number(t, parts[1], "x"); math.Abs(got-end) > 0.1 {
		t.Errorf("the second part begins at %v, where the first ends is %v", got, end)
	}
	if a, b := number(t, parts[0], "width"), number(t, parts[1], "width"); math.Abs(b-3*a) > 0.3 {
		t.Errorf("the parts are %v and %v, want one to three", a, b)
	}
}

// TestRanges checks that steps of ten are equally wide.
func TestRanges(t *testing.T) {
	all := parse(t, chart.Picture{Panels: []chart.Panel{{Kind: chart.Ranges,
		Rows: []chart.Row{{Values: []float64{0.2, 2, 20}}}}}})
	var at []float64
	for _, e := range all {
		if e.name == "circle" {
			at = append(at, number(t, e, "cx"))
		}
	}
	if len(at) != 3 || math.Abs((at[2]-at[1])-(at[1]-at[0])) > 0.2 || at[1] <= at[0] {
		t.Errorf("the dots are at %v, want equal steps", at)
	}
	for _, want := range []string{"0.1 ms", "1 ms", "10 ms", "100 ms"} {
		found := false
		for _, e := range all {
			found = found || strings.TrimSpace(e.text) == want
		}
		if !found {
			t.Errorf("the axis does not say %s", want)
		}
	}
}

// TestLightAndDark checks that one picture has the colours of both.
func TestLightAndDark(t *testing.T) {
	if svg := string(chart.Picture{}.SVG()); !strings.Contains(svg, "prefers-color-scheme:dark") {
		t.Error("the picture has no dark colours")
	}
}
