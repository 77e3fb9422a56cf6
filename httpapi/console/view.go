package console

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/text"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are the pages, each with the frame that all share. They are never changed.
var templates = parseTemplates()

func parseTemplates() map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(template.FuncMap{
		"line": text.Line, "ago": ago, "iso": iso, "utc": utc, "dur": duration, "num": number,
		"to": to, "short": short, "percent": percent, "plural": plural,
	}).ParseFS(templateFiles, "templates/frame.html", "templates/parts.html"))
	out := make(map[string]*template.Template)
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic("console: the embedded templates are missing: " + err.Error())
	}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".html")
		if name == "frame" || name == "parts" {
			continue
		}
		page := template.Must(frame.Clone())
		out[name] = template.Must(page.ParseFS(templateFiles, "templates/"+file.Name()))
	}
	return out
}

// view is a page to show.
type view struct {
	template string
	title    string
	status   int // if zero, 200
	data     any
	live     bool // what it shows changes by itself, so it can be refreshed

	// download sends a file in place of a page, if it is not nil.
	download func(http.ResponseWriter)
}

// frame is what a template gets.
type frame struct {
	Title, Site, Environment, Back string
	CSS, JS, Logo                  string // URLs
	Page                           string // its name, for the navigation
	Operator                       bool
	May                            May
	Done                           string // what an action has done, in a sentence
	CanLive                        bool
	Live                           int    // seconds between refreshes; 0 is none
	Self                           string // the page's own URL, without live
	Search                         string
	Catalogue                      bool // there are event types to show
	Data                           any
}

func (q *request) frame(v *view) *frame {
	f := &frame{
		Title: v.title, Site: q.o.Title, Environment: q.o.Environment, Back: q.o.Back,
		CSS: q.assetURL("console.css"), JS: q.assetURL("console.js"), Logo: q.assetURL("logo"),
		Page: q.name, Operator: q.access.AnyTenant, May: q.access.May,
		CanLive: v.live && v.status == 0, Data: v.data, Catalogue: len(q.d.EventTypes()) > 0,
	}
	if q.r.Method == http.MethodGet && v.status == 0 {
		query := q.r.URL.Query()
		f.Done = doneTexts[query.Get("done")]
		query.Del("done")
		if v.live {
			f.Live, _ = strconv.Atoi(query.Get("live"))
			f.Live = min(max(f.Live, 0), 3600)
		}
		query.Del("live")
		f.Self = q.name + "?" + query.Encode()
	}
	return f
}

func (c *console) assetURL(name string) string {
	a := c.assets[name]
	if a == nil {
		return ""
	}
	return name + "?v=" + a.version
}

// doneTexts are what the page after an action says, by the value of "done" in its URL.
var doneTexts = map[string]string{
	"added":     "The webhook was added.",
	"saved":     "The changes were saved. The next attempt uses them.",
	"enabled":   "The webhook is enabled.",
	"paused":    "The webhook is paused. What is published is kept.",
	"resumed":   "The webhook goes on. What has collected is sent, slowly at first.",
	"disabled":  "The webhook is disabled. What was pending is canceled.",
	"deleted":   "The webhook was deleted.",
	"redeliver": "Sent again. The attempt shows here in a moment.",
	"replayed":  "The deliveries are pending again.",
	"erased":    "What the event carried is erased.",
	"nothing":   "Nothing was selected.",
}

// to returns a link to a page with parameters, given as name, value, name, value. Parameters that
// are empty are left out.
func to(page string, parameters ...string) string {
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

// ago says how long before or after now a time is.
func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := time.Since(t)
	switch {
	case d <= -time.Second:
		return "in " + span(-d)
	case d < time.Second:
		return "now"
	}
	return span(d) + " ago"
}

// span is a length of time in one unit, rounded down.
func span(d time.Duration) string {
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

// duration is how long an attempt took.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond)/time.Millisecond)
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return span(d)
}

// utc is the instant of a time for people, iso for programs.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") }
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// number writes n with a thin separator between thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent writes a share from 0 to 1. It never rounds up to 100 or down to 0.
func percent(share float64) string {
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

// plural returns a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if before, ok := strings.CutSuffix(noun, "y"); ok && noun != "day" && noun != "key" {
		return number(n) + " " + before + "ies"
	}
	return number(n) + " " + noun + "s"
}

// short is both ends of a UUID: those that were made in the same minute begin with the same digits.
// Other IDs stay.
func short(id string) string {
	if len(id) == 36 && strings.Count(id, "-") == 4 {
		return id[:8] + "…" + id[30:]
	}
	return text.Line(id)
}
