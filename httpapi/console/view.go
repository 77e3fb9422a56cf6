package console

import (
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates returns the pages, each with the frame that all share. They are never changed. They are
// parsed when the first page is shown: they are some 40,000 small objects, which a host that has
// this package linked in would have in memory, and each garbage collection would look at.
var templates = sync.OnceValue(parseTemplates)

func parseTemplates() map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(template.FuncMap{
		"line": text.Line, "ago": show.Ago, "iso": show.ISO, "utc": show.UTC,
		"dur": show.Duration, "num": show.Number, "to": show.To, "short": show.Short,
		"percent": show.Percent, "plural": show.Plural, "clock": show.Clock,
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
	Account                        string // who is here; empty if the host has not said
	Search                         string
	Catalogue                      bool // there are event types to show
	Data                           any
}

func (q *request) frame(v *view) *frame {
	f := &frame{
		Title: v.title, Site: q.o.Title, Environment: q.o.Environment, Back: q.o.Back,
		CSS: q.assetURL("console.css"), JS: q.assetURL("console.js"), Logo: q.assetURL("logo"),
		Page: q.name, Operator: q.access.AnyTenant, May: q.access.May,
		CanLive: v.live && v.status == 0, Data: v.data, Account: text.Line(q.access.Actor),
		Catalogue: q.read.Catalogue() != nil,
	}
	if q.r.Method == http.MethodGet && v.status == 0 {
		query := q.r.URL.Query()
		f.Done = doneTexts[query.Get("done")]
		if n, err := strconv.Atoi(query.Get("n")); err == nil {
			of, _ := strconv.Atoi(query.Get("of"))
			switch query.Get("done") {
			case "replayed":
				f.Done = show.Capital(show.IsAre(n, "delivery")) + " pending again."
			case "some":
				f.Done = show.Number(n) + " of " + show.Number(of) +
					" sent again; then it failed. Select the others once more."
			}
		}
		query.Del("done")
		query.Del("n")
		query.Del("of")
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
	return a.URL(name)
}

// doneTexts are what the page after an action says, by the value of "done" in its URL.
var doneTexts = map[string]string{
	"added":     "The webhook was added.",
	"saved":     "The changes were saved. The next attempt uses them.",
	"enabled":   "The webhook is enabled.",
	"paused":    "The webhook is paused. What is published is kept.",
	"verified":  "The endpoint has agreed. What has collected is sent, slowly at first.",
	"resumed":   "The webhook goes on. What has collected is sent, slowly at first.",
	"disabled":  "The webhook is disabled. What was pending is canceled.",
	"deleted":   "The webhook was deleted.",
	"redeliver": "Sent again. The attempt shows here in a moment.",
	"replayed":  "The deliveries are pending again.",
	"erased":    "What the event carried is erased.",
	"nothing":   "Nothing was selected.",
}
