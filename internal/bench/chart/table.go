package chart

// Table is a few figures, each with its name.
type Table struct {
	Heading string
	Rows    []Figure
}

// Figure is a row of a Table.
type Figure struct {
	Name, Value string
	Tone        Tone // Neutral: in the colour of text
}

func (t Table) draw(c *canvas) {
	if t.Heading != "" {
		c.paragraph(margin, "h", t.Heading, headingLetters)
		c.y += 4
	}
	for _, r := range t.Rows {
		class := "b e"
		if r.Tone != Neutral {
			class += " " + r.Tone.class() + " p"
		}
		c.text(margin, c.y, "m", r.Name)
		c.text(sheetWidth-margin, c.y, class, r.Value)
		c.line("line", margin, c.y+6.5, sheetWidth-margin, c.y+6.5)
		c.y += lineHeight + 5
	}
}
