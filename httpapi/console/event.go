package console

import (
	"net/http"
	"strings"

	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
)

// eventPage is the data of the page of an event, or of a search for one.
type eventPage struct {
	read.Found
	ID      string
	Problem string // why nothing was found
	ByKey   string // a URL: the deliveries whose key is what was searched for
}

// event shows who got an event, and why others did not.
func (q *request) event() (*view, error) {
	id := strings.TrimSpace(q.form.Get("id"))
	data := eventPage{ID: text.Line(id)}
	if id != "" {
		var err error
		data.Found, err = q.read.FindEvent(q.r.Context(), read.EventSearch{
			ID: id, InTenant: q.form.Has("tenant"), Tenant: q.form.Get("tenant"),
			Cursor: q.form.Get("cursor"), From: q.form.Get("from"), After: q.form.Get("after"),
		})
		if err != nil {
			return nil, err
		}
	}
	v := &view{template: "event", title: "Event", live: true}
	if len(data.Events) == 0 {
		v.status = http.StatusNotFound
		data.Problem = "No webhook has got an event with this ID. Nobody may have been " +
			"subscribed to its type, it may be older than the history, or the ID is another."
		data.ByKey = show.To("deliveries", "key", id)
		switch {
		case id == "":
			data.ByKey = ""
			data.Problem = "Enter the ID of an event. Receivers get it as webhook-id."
		case data.GoOn != "":
			data.Problem = "No tenant that was searched so far has an event with this ID."
		}
	}
	v.data = data
	return v, nil
}
