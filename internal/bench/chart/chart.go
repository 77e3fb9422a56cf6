// Package chart draws what benchmarks measured, as SVG: one picture for light and dark pages, which
// follows the reader's setting.
//
// The picture has its own background, so that it can be read on a page of the other kind too. It
// loads nothing, and has the figures as text beside each bar.
package chart

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Picture is a title with panels below one another.
type Picture struct {
	Title    string
	Subtitle string
	Note     string // below them, if it is not empty
	Panels   []Panel
}

// Panel is a part of a picture: a heading, and a row for each thing that was measured.
type Panel struct {
	Heading string
	Series  []string // what the values of a row are, for the legend
	Kind    Kind
	Rows    []Row
}

// Kind is how a panel shows its values.
type Kind int

const (
	// Bars are from 0 to each value, below one another.
	Bars Kind = iota
	// Stack is one bar of all values, one after another.
	Stack
	// Ranges are dots joined by a line, on an axis whose steps multiply. Values must be above 0.
	Ranges
)

// Row is what was measured of one thing.
type Row struct {
	Label  string
	Ours   bool      // drawn in the strong colour
	Values []float64 // by series; none if the thing was not measured
	Text   string    // at the end of the row
}

// The sizes of the parts, in pixels.
const (
	width    = 880
	left     = 24
	barsAt   = 232
	barsEnd  = 640
	textGap  = 8
	thin     = 9  // a bar of several
	thick    = 14 // a bar alone
	rowGap   = 9
	heading  = 44
	axisRoom = 22
)

const style = `<style>
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.t{font-size:18px;font-weight:600}.h{font-size:14px;font-weight:600}.m{fill:#59636e}.b{font-weight:600}
.v{paint-order:stroke;stroke:#ffffff;stroke-width:4px}.e{text-anchor:end}.c{text-anchor:middle}
.page{fill:#ffffff;stroke:#d1d9e0}.line{stroke:#d1d9e0}
.s0{fill:#8c959f}.s1{fill:#c8cfd6}.o0{fill:#0969da}.o1{fill:#80b8f5}
.r{stroke:#8c959f}.ro{stroke:#0969da}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}.m{fill:#9198a1}.v{stroke:#0d1117}.page{fill:#0d1117;stroke:#3d444d}.line{stroke:#3d444d}
.s0{fill:#7d8590}.s1{fill:#464d56}.o0{fill:#4493f8}.o1{fill:#1f4f8f}
.r{stroke:#7d8590}.ro{stroke:#4493f8}
}
</style>
`

// drawing is a picture in the making.
type drawing struct {
	strings.Builder
	y float64
}

// SVG draws the picture.
func (p Picture) SVG() []byte {
	d := &drawing{y: 36}
	d.text(left, "t", p.Title)
	d.y += 22
	d.text(left, "m", p.Subtitle)
	if p.Note != "" {
		d.y += 22
		d.text(left, "b", p.Note)
	}
	for _, panel := range p.Panels {
		d.panel(panel)
	}
	height := d.y + 24
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" width="%[1]d" `+
		`height="%.0[2]f" role="img" aria-label="%s">`+"\n", width, height, html.EscapeString(p.Title))
	page := fmt.Sprintf(`<rect class="page" x="0.5" y="0.5" width="%d" height="%.0f" rx="8"/>`+"\n",
		width-1, height-1)
	return []byte(head + style + page + d.String() + "</svg>\n")
}

// text writes a text whose base line is at d.y.
func (d *drawing) text(x float64, class, text string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" class="%s">%s</text>`+"\n", x, d.y, class,
		html.EscapeString(text))
}

// bar draws a bar from x on, whose upper edge is at y.
func (d *drawing) bar(x, y, width, height float64, class string) {
	fmt.Fprintf(d, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.0f" rx="2"/>`+"\n",
		class, x, y, width, height)
}

func (d *drawing) panel(p Panel) {
	d.y += heading
	d.text(left, "h", p.Heading)
	d.legend(p)
	d.y += 14
	at := p.scale()
	if p.Kind == Ranges {
		d.axis(p)
	}
	for _, row := range p.Rows {
		d.row(p, row, at)
	}
}

// legend says at the right what the colours are.
func (d *drawing) legend(p Panel) {
	const square, letter = 15, 7.6 // with the room beside them
	x := float64(width - left)
	for i := len(p.Series) - 1; i >= 0; i-- {
		x -= float64(len([]rune(p.Series[i])))*letter + square
		d.bar(x, d.y-10, 10, 10, fmt.Sprintf("s%d", i))
		d.text(x+square, "m", p.Series[i])
		x -= 8
	}
}

// scale returns where a value is.
func (p Panel) scale() func(float64) float64 {
	low, high := p.bounds()
	if p.Kind == Ranges {
		low, high = math.Log10(low), math.Log10(high)
		return func(v float64) float64 {
			return barsAt + (math.Log10(v)-low)/(high-low)*(barsEnd-barsAt)
		}
	}
	return func(v float64) float64 { return barsAt + v/high*(barsEnd-barsAt) }
}

// bounds returns the ends of the axis: 0 and the longest bar, or the powers of ten around all.
func (p Panel) bounds() (low, high float64) {
	low = math.Inf(1)
	for _, row := range p.Rows {
		sum := 0.0
		for _, v := range row.Values {
			low, high = min(low, v), max(high, v)
			sum += v
		}
		if p.Kind == Stack {
			high = max(high, sum)
		}
	}
	if high == 0 {
		return 0.1, 1 // nothing was measured
	}
	if p.Kind != Ranges {
		return 0, high
	}
	low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
	if low == high {
		high *= 10
	}
	return low, high
}

// axis draws a line at each power of ten.
func (d *drawing) axis(p Panel) {
	low, high := p.bounds()
	at, bottom := p.scale(), d.y+axisRoom+float64(len(p.Rows))*(thick+rowGap)
	d.y += 6
	for v := low; v <= high*1.001; v *= 10 {
		d.text(at(v), "m c", fmt.Sprintf("%g ms", math.Round(v*1000)/1000))
		fmt.Fprintf(d, `<line class="line" x1="%.1f" y1="%.1f" x2="%.1[1]f" y2="%.1[3]f"/>`+"\n", at(v),
			d.y+6, bottom)
	}
	d.y += axisRoom - 6
}

func (d *drawing) row(p Panel, row Row, at func(float64) float64) {
	fill, weight, line := "s", "", "r"
	if row.Ours {
		fill, weight, line = "o", " b", "ro"
	}
	height := float64(thick)
	if p.Kind == Bars && len(p.Series) > 1 {
		height = float64(len(p.Series)*(thin+1) - 1)
	}
	top, end := d.y, float64(barsAt)
	switch p.Kind {
	case Bars:
		each := height / float64(max(len(p.Series), 1))
		first := top + (height-each*float64(len(row.Values)))/2
		for i, v := range row.Values {
			d.bar(barsAt, first+float64(i)*each, max(at(v)-barsAt, 1), math.Floor(each),
				fmt.Sprintf("%s%d", fill, i))
			end = max(end, at(v))
		}
	case Stack:
		for i, v := range row.Values {
			d.bar(end, top, max(at(v)-barsAt, 0), height, fmt.Sprintf("%s%d", fill, i))
			end += at(v) - barsAt
		}
	case Ranges:
		end = d.dots(row, top+height/2, fill, line, at)
	}
	d.y = top + height/2 + 4.5
	d.text(barsAt-textGap-4, "e"+weight, row.Label)
	d.text(end+textGap, "m v", row.Text)
	d.y = top + height + rowGap
}

// dots draws the dots of a row and the line through them, and returns where they end.
func (d *drawing) dots(row Row, y float64, fill, line string, at func(float64) float64) float64 {
	end := float64(barsAt)
	if len(row.Values) == 0 {
		return end
	}
	first, last := at(row.Values[0]), at(row.Values[len(row.Values)-1])
	const joined = `<line class="%s" stroke-width="3" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1[3]f"/>`
	fmt.Fprintf(d, joined+"\n", line, first, y, last)
	for i, v := range row.Values {
		fmt.Fprintf(d, `<circle class="%s%d" cx="%.1f" cy="%.1f" r="5"/>`+"\n", fill, i, at(v), y)
		end = max(end, at(v)+5)
	}
	return end
}
