package show

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/text"
)

// To returns a link to a page with parameters, given as name, value, name, value. Parameters that
// are empty are left out.
func To(page string, parameters ...string) string {
	values := make(url.Values)
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			values.Set(parameters[i], parameters[i+1])
		}
	}
	if page == "" {
		page = "./"
	}
	if len(values) == 0 {
		return page
	}
	return page + "?" + values.Encode()
}

// Ago says how long before or after now a time is.
func Ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := time.Since(t)
	// By seconds, since a Duration ends at 292 years: an event may expire in 9999.
	switch days := (time.Now().Unix() - t.Unix()) / (24 * 60 * 60); {
	case days <= -2:
		return fmt.Sprintf("in %d days", -days)
	case days >= 2:
		return fmt.Sprintf("%d days ago", days)
	case d <= -time.Second:
		return "in " + Span(-d)
	case d < time.Second:
		return "now"
	}
	return Span(d) + " ago"
}

// Span is a length of time in one unit, rounded down.
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/day)
}

// Duration is how long an attempt took.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond)/time.Millisecond)
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return Span(d)
}

// UTC is the instant of a time for people, ISO for programs.
func UTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") }
func ISO(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Clock is a time of today by the clock, and one of another day with its date, in UTC.
func Clock(t time.Time) string {
	t, now := t.UTC(), time.Now().UTC()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04 UTC")
	}
	return t.Format("2 Jan 15:04 UTC")
}

// Number writes n with a thin separator between thousands.
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Percent writes a share from 0 to 1. It never rounds up to 100 or down to 0.
func Percent(share float64) string {
	switch p := share * 100; {
	case p == 0 || p == 100:
		return fmt.Sprintf("%.0f %%", p)
	case p > 99.9:
		return "> 99.9 %"
	case p < 0.1:
		return "< 0.1 %"
	case p >= 99:
		return fmt.Sprintf("%.1f %%", float64(int(p*10))/10)
	default:
		return fmt.Sprintf("%d %%", int(p))
	}
}

// Plural returns a number with its noun.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if before, ok := strings.CutSuffix(noun, "y"); ok && noun != "day" && noun != "key" {
		return Number(n) + " " + before + "ies"
	}
	return Number(n) + " " + noun + "s"
}

// Short is both ends of a UUID: those that were made in the same minute begin with the same digits.
// Other IDs stay.
func Short(id string) string {
	if len(id) == 36 && strings.Count(id, "-") == 4 {
		return id[:8] + "…" + id[30:]
	}
	return text.Line(id)
}

// IsAre is a number with its noun and verb.
func IsAre(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	if n == 0 {
		return "No " + noun + " is"
	}
	return Plural(n, noun) + " are"
}

// Capital returns s with a capital at its start.
func Capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
