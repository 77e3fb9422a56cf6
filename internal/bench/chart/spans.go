package chart

import "fmt"

// Spans are steps on one axis of time, one below another, each from its beginning to its end.
type Spans struct {
	Heading string
	Keys    []Key
	Ticks   []Tick // of the axis, which ends with the last
	Rows    []Span
}

// Span is one step.
type Span struct {
	Label  string
	Text   string // how long it took
	Pieces []Piece
}

// Piece is a piece of a Span.
type Piece struct {
	From, To float64
	Tone     Tone
}

func (s Spans) draw(c *canvas) {
	c.paragraph(margin, "h", s.Heading, headingLetters)
	c.y += 4
	if len(s.Ticks) == 0 {
		return
	}
	c.legend(s.Keys)
	c.y += 4
	end := s.Ticks[len(s.Ticks)-1].At
	at := func(v float64) float64 { return margin + v/end*inner }
	const row, bar = 40, 11
	bottom := c.y + 6 + row*float64(len(s.Rows))
	for i, t := range s.Ticks {
		c.line("line", at(t.At), c.y+6, at(t.At), bottom)
		c.text(at(t.At), c.y, "m "+anchor(i, len(s.Ticks)), t.Text)
	}
	c.y += 8
	for _, r := range s.Rows {
		c.text(margin, c.y+16, "v", r.Label)
		c.text(sheetWidth-margin, c.y+16, "b v e", r.Text)
		for _, p := range r.Pieces {
			fmt.Fprintf(c, `<rect class="%s p" x="%.1f" y="%.1f" width="%.1f" height="%d"/>`+"\n",
				p.Tone.class(), at(p.From), c.y+22, max(at(p.To)-at(p.From), 1.5), bar)
		}
		c.y += row
	}
	c.y += lineHeight
}

// anchor returns the class of a tick's text: the first begins and the last ends where it is.
func anchor(i, n int) string {
	switch {
	case i == 0:
		return ""
	case i == n-1:
		return "e"
	}
	return "c"
}
