package console

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/flash"
	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// maxForm is how many bytes a form may have: as many as the largest webhook, and some.
const maxForm = 512 << 10

// request is one request of a page.
type request struct {
	*console
	r      *http.Request
	access Access
	form   url.Values // the query of a GET, the body of a POST
	name   string     // of the page
	jar    flash.Jar
	read   read.Reader // of what the sender may see
}

// problem is an error with a page of its own. Its text is shown: what is wrong and what to do.
type problem struct {
	status      int
	title, text string
}

// Error implements error.
func (p *problem) Error() string { return p.text }

// The pages of what is not there, and of what is not allowed. They say nothing of the request: what
// is another tenant's gets the same bytes as what does not exist.
var (
	errNotFound = &problem{http.StatusNotFound, "Not found",
		"There is nothing here, or not any more. It may have been deleted, or be too old."}
	errForbidden = &problem{http.StatusForbidden, "Not allowed",
		"You are not allowed to do this. Ask somebody who may, or log in again."}
)

// ServeHTTP serves a page, an action or an asset.
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.setHeaders(w.Header(), r)
	name, ok := c.route(w, r)
	if !ok {
		return
	}
	if a := c.assets[name]; a != nil {
		a.ServeHTTP(w, r)
		return
	}
	q := &request{console: c, r: r, name: name, read: read.Reader{D: c.d}, jar: flash.Jar{
		Request: r, Header: w.Header(), Framed: len(c.o.FrameAncestors) > 0,
	}}
	access, err := c.who(r)
	if err != nil {
		c.refuse(w, q, err)
		return
	}
	q.access = access
	q.read.Tenant, q.read.AnyTenant = access.Tenant, access.AnyTenant
	q.read.Events = show.Events{Payloads: access.May.Payloads(), Redact: c.o.Redact,
		TraceURL: c.o.TraceURL}
	if access.Actor != "" {
		q.r = r.WithContext(dispatcher.WithActor(r.Context(), access.Actor))
	}
	if err := q.serve(w); err != nil {
		q.fail(w, err)
	}
}

// setHeaders sets what every answer has.
func (c *console) setHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", c.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if len(c.o.FrameAncestors) == 0 {
		h.Set("X-Frame-Options", "DENY")
	}
	// Where a browser sends no Sec-Fetch-Site, which is on plain HTTP, the check of a form's origin
	// goes by the header Origin. With no-referrer that is "null", and every form would be refused.
	referrer := "no-referrer"
	if r.Header.Get("Sec-Fetch-Site") == "" {
		referrer = "same-origin"
	}
	h.Set("Referrer-Policy", referrer)
}

// route returns the name of the page that a request is for. If ok is false, it has answered.
func (c *console) route(w http.ResponseWriter, r *http.Request) (name string, ok bool) {
	folder, name := path.Split(r.URL.Path)
	_, isPage := c.pages[name]
	_, isAsset := c.assets[name]
	switch {
	case c.base != "" && folder != c.base && r.URL.Path+"/" != c.base:
		name = "-" // below the console's folder; no page has this name
	case c.base != "" && folder == c.base:
	case c.base == "" && (isPage || isAsset) && r.URL.Path != "":
	case c.base == "" && c.folders.has(folder): // not the console itself: that is the folder
	default:
		// The console itself, without the slash that links are relative to. The location is
		// relative too, to the URL that the browser has; only its last part need be known.
		last := path.Base(r.URL.Path)
		if r.URL.Path == "" { // http.StripPrefix has taken it
			last = path.Base(strings.SplitN(r.RequestURI, "?", 2)[0])
		}
		w.Header().Set("Location", "./"+url.PathEscape(last)+"/"+suffix(r.URL.Query()))
		w.WriteHeader(http.StatusSeeOther)
		return "", false
	}
	return name, true
}

// serve checks a request and answers it.
func (q *request) serve(w http.ResponseWriter) error {
	page, ok := q.pages[q.name]
	if !ok {
		return errNotFound
	}
	switch q.r.Method {
	case http.MethodGet, http.MethodHead:
		if page.get == nil {
			return q.notAllowed(w, "POST")
		}
		if q.access.May&page.getNeeds != page.getNeeds {
			return errForbidden
		}
		q.form = q.r.URL.Query()
		v, err := page.get(q)
		if err != nil {
			return err
		}
		q.render(w, v)
		return nil
	case http.MethodPost:
		return q.post(w, &page)
	}
	allow := "GET, HEAD, POST"
	if page.post == nil {
		allow = "GET, HEAD"
	} else if page.get == nil {
		allow = "POST"
	}
	return q.notAllowed(w, allow)
}

// post runs an action. Whether it may be done is known before anything is read or looked up, so
// that the answer does not say what there is.
func (q *request) post(w http.ResponseWriter, page *page) error {
	if page.post == nil {
		return q.notAllowed(w, "GET, HEAD")
	}
	if err := q.origin.Check(q.r); err != nil {
		return &problem{http.StatusForbidden, "Not allowed",
			"This request came from a page of another site. Open the console and try again there."}
	}
	if q.access.May&page.needs != page.needs {
		return errForbidden
	}
	q.r.Body = http.MaxBytesReader(w, q.r.Body, maxForm)
	if err := q.r.ParseForm(); err != nil {
		return &problem{http.StatusBadRequest, "Not readable",
			"The form could not be read. Go back, reload the page and try again."}
	}
	q.form = q.r.PostForm
	to, v, err := page.post(action{q})
	switch {
	case err != nil:
		return err
	case v != nil: // a form with mistakes
		q.render(w, v)
		return nil
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (q *request) notAllowed(w http.ResponseWriter, allow string) error {
	w.Header().Set("Allow", allow)
	return &problem{http.StatusMethodNotAllowed, "Not allowed", "This page takes " + allow + "."}
}

// refuse answers a request that the Authorizer refuses.
func (c *console) refuse(w http.ResponseWriter, q *request, err error) {
	if to := (*Redirect)(nil); errors.As(err, &to) {
		for _, cookie := range to.cookies {
			q.jar.Set(cookie)
		}
		w.Header().Set("Location", to.URL)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	if change := (*accountChange)(nil); errors.As(err, &change) {
		q.askForAccount(w, change)
		return
	}
	q.fail(w, errForbidden)
}

// askForAccount asks whether a link is to replace the session of another account.
func (q *request) askForAccount(w http.ResponseWriter, c *accountChange) {
	query := q.r.URL.Query()
	stay := url.Values{}
	for name, values := range query {
		if name != linkParameter {
			stay[name] = values
		}
	}
	q.render(w, &view{template: "account", title: "Another account", status: http.StatusConflict,
		data: struct{ From, To, Action, Stay string }{c.from.account(), c.to.account(),
			"./" + url.PathEscape(q.name) + suffix(query), "./" + url.PathEscape(q.name) + suffix(stay)}})
}

// fail answers with the page of an error.
func (q *request) fail(w http.ResponseWriter, err error) {
	p := q.explain(err)
	q.render(w, &view{template: "problem", title: p.title, status: p.status, data: p.text})
}

// explain returns what a page says of an error, and sets Retry-After if it says when to try again.
// The text of an error is shown only if it was made for that; the store's own may name paths and
// addresses of the host, so it is logged.
func (q *request) explain(err error) *problem {
	p, invalid := (*problem)(nil), (*events.InvalidError)(nil)
	quota := (*dispatcher.QuotaError)(nil)
	switch {
	case errors.As(err, &p):
	case errors.As(err, &invalid):
		p = &problem{http.StatusBadRequest, "Not valid", show.Capital(invalid.Error()) + "."}
	case errors.As(err, &quota):
		q.jar.Header.Set("Retry-After", strconv.Itoa(show.RetrySeconds(quota)))
		p = &problem{http.StatusTooManyRequests, "Too many at once", show.QuotaText(quota)}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, read.ErrNotVisible):
		p = errNotFound
	case errors.Is(err, store.ErrConflict):
		p = &problem{http.StatusConflict, "Not now",
			"The webhook is off, so nothing can be sent to it. Enable it first."}
	case errors.Is(err, store.ErrSealed):
		q.logFailure(err)
		p = &problem{http.StatusConflict, "Not readable",
			"The headers and keys of this webhook can't be read, so nothing can be sent to it. " +
				"Delete it and add it anew, or ask the operator for the missing key."}
	default:
		q.logFailure(err)
		p = &problem{http.StatusServiceUnavailable, "Try again",
			"The store did not answer. What was asked for may or may not have been done; " +
				"asking again is safe."}
	}
	return p
}

// logFailure logs an error of the store; at Debug if the client has gone, which is then most likely
// the reason for it.
func (q *request) logFailure(err error) {
	level := slog.LevelError
	if q.r.Context().Err() != nil {
		level = slog.LevelDebug
	}
	q.o.Logger.LogAttrs(q.r.Context(), level, "console: the store failed",
		slog.String("page", q.name), slog.Any("error", err))
}

// render writes a page, as a whole or not at all.
func (q *request) render(w http.ResponseWriter, v *view) {
	var buf bytes.Buffer
	if v.download != nil {
		v.download(w)
		return
	}
	if err := templates()[v.template].Execute(&buf, q.frame(v)); err != nil {
		q.o.Logger.LogAttrs(q.r.Context(), slog.LevelError, "console: a page was not made",
			slog.String("page", q.name), slog.Any("error", err))
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
	if q.base == "" && v.status == 0 {
		folder, _ := path.Split(q.r.URL.Path)
		q.folders.add(folder)
	}
	if v.status != 0 {
		w.WriteHeader(v.status)
	}
	_, _ = w.Write(buf.Bytes()) // an error means that the client has gone
}
