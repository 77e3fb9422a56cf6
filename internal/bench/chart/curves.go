package chart

import (
	"fmt"
	"math"
	"strings"
)

// Curves are lines over two axes. Where an axis multiplies, the caller gives logarithms, and the
// ticks say what they stand for.
type Curves struct {
	Heading string
	X       Axis
	Y       []Tick // from the lowest to the highest; two at least
	Lines   []Line
	Marks   []Tick // lines from the top to the bottom, with a text
}

// Axis is one axis of Curves, from its first tick to its last.
type Axis struct {
	Label string
	Ticks []Tick // two at least
}

// Tick is a place on an axis.
type Tick struct {
	At   float64
	Text string
}

// Line is one line of Curves.
type Line struct {
	Name   string
	Tone   Tone
	Points []Point // by X
	Steps  bool    // each point holds until the next
	Filled bool    // down to the axis
	Dots   bool
}

// Point is one point of a Line.
type Point struct{ X, Y float64 }

// The places of Curves, in pixels.
const (
	plotLeft   = 76
	plotRight  = sheetWidth - margin - 8
	plotHeight = 168
)

func (p Curves) draw(c *canvas) {
	c.paragraph(margin, "h", p.Heading, headingLetters)
	c.y += 4
	var keys []Key
	for _, l := range p.Lines {
		keys = append(keys, Key{l.Tone, l.Name})
	}
	c.legend(keys)
	c.y += lineHeight * float64(len(p.Marks))
	top := c.y
	bottom := top + plotHeight
	x, y := p.X.scale(plotLeft, plotRight), Axis{Ticks: p.Y}.scale(bottom, top)
	for _, t := range p.Y {
		c.line("line", plotLeft, y(t.At), plotRight, y(t.At))
		c.text(plotLeft-8, y(t.At)+5, "m e", t.Text)
	}
	for _, t := range p.X.Ticks {
		c.line("axis", x(t.At), bottom, x(t.At), bottom+5)
		half := letter / 2 * float64(len([]rune(t.Text)))
		c.text(min(x(t.At), sheetWidth-8-half), bottom+21, "m c", t.Text)
	}
	for _, l := range p.Lines {
		l.draw(c, x, y)
	}
	for i, m := range p.Marks {
		height := top - lineHeight*(float64(len(p.Marks)-i))
		c.line("axis", x(m.At), height+6, x(m.At), bottom)
		side, gap := "", 6.0
		if x(m.At) > (plotLeft+plotRight)/2 {
			side, gap = " e", -6
		}
		c.text(x(m.At)+gap, height+14, "v"+side, m.Text)
	}
	c.y = bottom + 21
	if p.X.Label != "" {
		c.y += lineHeight
		c.text((plotLeft+plotRight)/2, c.y, "m c", p.X.Label)
	}
	c.y += lineHeight
}

// scale returns where a value of the axis is, from one pixel to another. What is beyond its ends is
// at them.
func (a Axis) scale(from, to float64) func(float64) float64 {
	if len(a.Ticks) < 2 {
		return func(float64) float64 { return from }
	}
	low, high := a.Ticks[0].At, a.Ticks[len(a.Ticks)-1].At
	return func(v float64) float64 {
		return from + (min(max(v, low), high)-low)/(high-low)*(to-from)
	}
}

func (l Line) draw(c *canvas, x, y func(float64) float64) {
	if len(l.Points) == 0 {
		return
	}
	var path strings.Builder
	for i, p := range l.Points {
		switch {
		case i == 0:
			fmt.Fprintf(&path, "M%.1f %.1f", x(p.X), y(p.Y))
		case l.Steps:
			fmt.Fprintf(&path, "H%.1fV%.1f", x(p.X), y(p.Y))
		default:
			fmt.Fprintf(&path, "L%.1f %.1f", x(p.X), y(p.Y))
		}
	}
	if l.Filled {
		fmt.Fprintf(c, `<path class="%s f" d="%sV%.1fH%.1fZ"/>`+"\n", l.Tone.class(), &path,
			y(math.Inf(-1)), x(l.Points[0].X))
	}
	fmt.Fprintf(c, `<path class="%s l" d="%s"/>`+"\n", l.Tone.class(), &path)
	if l.Dots {
		for _, p := range l.Points {
			fmt.Fprintf(c, `<circle class="%s p" cx="%.1f" cy="%.1f" r="4.5"/>`+"\n", l.Tone.class(),
				x(p.X), y(p.Y))
		}
	}
}

// Linear returns the ticks of an axis from 0 to a round number at or above a value, about four.
// text prints one.
func Linear(most float64, text func(float64) string) []Tick {
	if !(most > 0) {
		most = 1
	}
	decade := math.Pow(10, math.Floor(math.Log10(most)))
	step := decade / 2
	for _, f := range []float64{5, 2, 1} {
		if most/(decade*f) >= 2.5 {
			step = decade * f
			break
		}
	}
	var ticks []Tick
	for i := 0; ; i++ {
		v := float64(i) * step
		ticks = append(ticks, Tick{v, text(v)})
		if v >= most*(1-1e-9) && i > 0 {
			return ticks
		}
	}
}

// Logarithmic returns the ticks of an axis that multiplies, around two values above 0: at 1, 2 and
// 5 of each power of ten, or at the powers alone if they are far apart. They are at the logarithms.
// text prints one.
func Logarithmic(least, most float64, text func(float64) string) []Tick {
	if !(least > 0) || !(most >= least) {
		least, most = 0.1, 1
	}
	factors := []float64{1, 2, 5}
	if most/least > 30 {
		factors = factors[:1]
	}
	var ticks []Tick
	for decade := math.Floor(math.Log10(least)); ; decade++ {
		for _, f := range factors {
			at := decade + math.Log10(f)
			v := f * math.Pow(10, decade)
			if v <= least*(1+1e-9) {
				ticks = ticks[:0] // the one before is not needed
			}
			ticks = append(ticks, Tick{at, text(v)})
			if v >= most*(1-1e-9) && len(ticks) > 1 {
				return ticks
			}
		}
	}
}
