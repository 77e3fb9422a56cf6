package console

import (
	"net/http"
	"strconv"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// events shows events to the sender, as the options and what it may do say.
func (q *request) events() *show.Events {
	return &show.Events{Payloads: q.access.May.Payloads(), Redact: q.o.Redact, TraceURL: q.o.TraceURL}
}

// download sends an event's payload as a file: its bytes as they were published, or as
// Options.Redact leaves them.
func (q *request) download() (*view, error) {
	sub, d, err := q.oneDelivery(q.form.Get("id"), q.form.Get("event"))
	if err != nil {
		return nil, err
	}
	ev, err := q.storedEvent(&d)
	if err != nil {
		return nil, err
	}
	if ev.Erased() {
		return nil, errNotFound
	}
	body := q.events().Redacted(sub, ev)
	return &view{download: func(w http.ResponseWriter) {
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		// An event's ID has no character that is special in a header.
		h.Set("Content-Disposition", `attachment; filename="`+d.EventID+`.json"`)
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}}, nil
}

// storedEvent returns the event of a delivery.
func (q *request) storedEvent(d *store.Delivery) (*store.StoredEvent, error) {
	report, err := q.d.Event(q.r.Context(),
		dispatcher.EventQuery{Tenant: d.Tenant, EventID: d.EventID})
	return &report.Event, err
}
