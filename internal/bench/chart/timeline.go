package chart

import (
	"fmt"
	"math"
	"time"
)

// Timeline is what happened, one moment below another. The longer it was until the next, the
// farther below it is, in steps that multiply.
type Timeline struct {
	Heading string
	Tones   []string // what the tones of the line mean, by Tone; those that are empty are not used
	Moments []Moment
}

// Moment is one moment of a Timeline.
type Moment struct {
	At     time.Duration // since the first
	Time   string        // At, in words
	Tone   Tone          // of the dot
	Hollow bool          // a dot that is not filled: nothing was sent
	Text   string
	Detail string // below it, if it is not empty
	Then   Tone   // of the line from here to the next
}

// The places of a Timeline, in pixels.
const (
	timeEnd = 108 // of the times
	axisAt  = 124
	momentX = 142
)

func (t Timeline) draw(c *canvas) {
	c.paragraph(margin, "h", t.Heading, headingLetters)
	c.y += 4
	var keys []Key
	for tone, text := range t.Tones {
		if text != "" {
			keys = append(keys, Key{Tone(tone), text})
		}
	}
	c.legend(keys)
	c.y += 12
	for i, m := range t.Moments {
		dot := c.y - 5
		body := &canvas{y: c.y}
		body.text(timeEnd, body.y, "m e", m.Time)
		body.paragraph(momentX, "b", m.Text, int(float64(columns(momentX))*0.94))
		body.paragraph(momentX, "m", m.Detail, columns(momentX))
		c.y = body.y + 10
		if i+1 < len(t.Moments) {
			c.y += room(t.Moments[i+1].At - m.At)
			fmt.Fprintf(c, `<line class="%s" stroke-width="4" x1="%d" y1="%.1f" x2="%[2]d" y2="%.1[4]f"/>`+
				"\n", m.Then.class(), axisAt, dot, c.y-5)
		}
		fill := ""
		if m.Hollow {
			fill = ` style="fill:none" stroke-width="3"`
			fmt.Fprintf(c, `<circle class="page p" cx="%d" cy="%.1f" r="7"/>`+"\n", axisAt, dot)
		}
		fmt.Fprintf(c, `<circle class="%s"%s cx="%d" cy="%.1f" r="7"/>`+"\n", m.Tone.class(), fill,
			axisAt, dot)
		c.WriteString(body.String())
	}
}

// room returns how many pixels a wait adds: none up to a second, then more for each power of ten.
func room(wait time.Duration) float64 {
	return 9 * math.Log10(max(1, wait.Seconds()))
}
