package chart

import (
	"fmt"
	"html"
	"strings"
)

// Sheet is a picture that is read from the top to the bottom. It is narrow, so that its text can
// still be read where a page shows it 320 pixels wide.
type Sheet struct {
	Title    string
	Subtitle string
	// Description says in words what the picture shows, for those who can't see it.
	Description string
	Parts       []Part
	Note        string // below the parts, if it is not empty
}

// Part is a part of a Sheet: a Timeline, Spans or Curves.
type Part interface{ draw(*canvas) }

// Tone is the colour of something. What it means is said in words too.
type Tone int

// The tones. Neutral is grey.
const (
	Neutral Tone = iota
	Strong       // what the picture is about
	Good
	Waiting
	Bad
	Pale // a pale Strong
)

// class is the name of the tone in the style sheet.
func (t Tone) class() string { return [...]string{"n", "o", "g", "w", "x", "o f"}[t] }

// The sizes of the parts of a Sheet, in pixels.
const (
	sheetWidth = 480
	margin     = 20
	inner      = sheetWidth - 2*margin
	lineHeight = 20
	letter     = 7.7 // how wide a letter is taken to be

	headingLetters = 50 // of a heading, whose letters are wider
)

// canvas is a Sheet in the making. y is the base line of the next text.
type canvas struct {
	strings.Builder
	y float64
}

// The colours of each tone, of a light page and of a dark one.
const sheetStyle = `<style>
text{font:15px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.t{font-size:19px;font-weight:600}.h,.b{font-weight:600}.m{fill:#59636e}.e{text-anchor:end}.c{text-anchor:middle}
.v{paint-order:stroke;stroke:#fff;stroke-width:4px}.page{fill:#fff;stroke:#d1d9e0}.line{stroke:#d1d9e0}.axis{stroke:#8c959f}
.n{fill:#8c959f;stroke:#8c959f}.o{fill:#0969da;stroke:#0969da}.g{fill:#1a7f37;stroke:#1a7f37}
.w{fill:#bf8700;stroke:#bf8700}.x{fill:#cf222e;stroke:#cf222e}
.f{fill-opacity:.22;stroke:none}.l{fill:none;stroke-width:2.5px;stroke-linejoin:round}.p{stroke:none}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}.m{fill:#9198a1}.v{stroke:#0d1117}.page{fill:#0d1117;stroke:#3d444d}.line{stroke:#3d444d}.axis{stroke:#7d8590}
.n{fill:#7d8590;stroke:#7d8590}.o{fill:#4493f8;stroke:#4493f8}.g{fill:#3fb950;stroke:#3fb950}
.w{fill:#d29922;stroke:#d29922}.x{fill:#f85149;stroke:#f85149}
.f{stroke:none}.l{fill:none}.p{stroke:none}
}
</style>
`

// SVG draws the picture.
func (s Sheet) SVG() []byte {
	c := &canvas{y: 36}
	c.paragraph(margin, "t", s.Title, 44)
	c.paragraph(margin, "m", s.Subtitle, columns(margin))
	for _, p := range s.Parts {
		c.y += 14
		p.draw(c)
	}
	if s.Note != "" {
		c.y += 14
		c.paragraph(margin, "m", s.Note, columns(margin))
	}
	height := c.y + 4
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" width="%[1]d" `+
		`height="%.0[2]f" role="img" aria-labelledby="title desc">`+"\n"+
		`<title id="title">%s</title>`+"\n"+`<desc id="desc">%s</desc>`+"\n",
		sheetWidth, height, html.EscapeString(s.Title), html.EscapeString(s.Description))
	page := fmt.Sprintf(`<rect class="page" x="0.5" y="0.5" width="%d" height="%.0f" rx="8"/>`+"\n",
		sheetWidth-1, height-1)
	return []byte(head + sheetStyle + page + c.String() + "</svg>\n")
}

// columns returns how many letters there is room for from x on.
func columns(x float64) int {
	const right = float64(sheetWidth - margin)
	return int((right - x) / letter)
}

// text writes a text at x and a base line.
func (c *canvas) text(x, y float64, class, text string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" class="%s">%s</text>`+"\n", x, y, class,
		html.EscapeString(text))
}

// paragraph writes a text in lines of so many letters at most, and goes below it.
func (c *canvas) paragraph(x float64, class, text string, letters int) {
	for _, line := range wrap(text, letters) {
		c.text(x, c.y, class, line)
		c.y += lineHeight
	}
}

// line draws a straight line.
func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(c, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1,
		x2, y2)
}

// wrap breaks a text into lines between words.
func wrap(text string, letters int) (lines []string) {
	line := ""
	for word := range strings.SplitSeq(text, " ") { // a no-break space is none
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > letters:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// Key is what a tone stands for.
type Key struct {
	Tone Tone
	Text string
}

// legend says what the colours are, in as many lines as that takes, and goes below them.
func (c *canvas) legend(keys []Key) {
	const square, gap = 16, 18
	x := float64(margin)
	for _, k := range keys {
		width := square + float64(len([]rune(k.Text)))*letter
		if x > margin && x+width > sheetWidth-margin {
			x = margin
			c.y += lineHeight
		}
		fmt.Fprintf(c, `<rect class="%s p" x="%.1f" y="%.1f" width="11" height="11" rx="2"/>`+"\n",
			k.Tone.class(), x, c.y-10.5)
		c.text(x+square, c.y, "m", k.Text)
		x += width + gap
	}
	c.y += lineHeight
}
