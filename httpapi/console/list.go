package console

import (
	"slices"

	"github.com/outhook/outhook/httpapi/console/internal/form"
	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
)

// listPage is the data of the page of webhooks.
type listPage struct {
	read.List
	Tenant, State  string
	Type, Text     string
	Label, Problem string
	States         []string
	Filtered       bool
	Next, Previous string // URLs
}

// list shows webhooks, oldest first.
func (q *request) list() (*view, error) {
	data := listPage{
		State: q.form.Get("state"), Type: q.form.Get("type"), Text: q.form.Get("text"),
		Label: q.form.Get("label"), States: show.WebhookStates(),
	}
	if q.access.AnyTenant {
		data.Tenant = q.form.Get("tenant")
	}
	if !slices.Contains(data.States, data.State) {
		data.State = ""
	}
	query := q.read.WebhookScope(data.Tenant)
	query.Cursor, query.EventType, query.Text = q.form.Get("cursor"), data.Type, data.Text
	if query.Metadata, data.Problem = form.ReadLabel(data.Label); data.Problem != "" {
		data.Label = ""
	}
	data.Filtered = query.Filtered() || data.State != ""
	var err error
	if data.List, err = q.read.List(q.r.Context(), query, data.State); err != nil {
		return nil, err
	}
	data.Next, data.Previous = q.cursorURL(data.NextCursor), q.cursorURL(data.PreviousCursor)
	return &view{template: "list", title: "Webhooks", data: data, live: true}, nil
}

// cursorURL returns the page's own URL with another cursor; empty if there is none.
func (q *request) cursorURL(cursor string) string {
	if cursor == "" {
		return ""
	}
	query := q.r.URL.Query()
	query.Set("cursor", cursor)
	query.Del("done")
	query.Del("n")
	query.Del("of")
	return q.name + "?" + query.Encode()
}
