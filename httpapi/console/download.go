package console

import (
	"net/http"
	"strconv"
)

// download sends an event's payload as a file: its bytes as they were published, or as
// Options.Redact leaves them.
func (q *request) download() (*view, error) {
	sub, d, err := q.read.Delivery(q.r.Context(), q.form.Get("id"), q.form.Get("event"))
	if err != nil {
		return nil, err
	}
	ev, err := q.read.Event(q.r.Context(), &d)
	if err != nil {
		return nil, err
	}
	if ev.Erased() {
		return nil, errNotFound
	}
	body := q.read.Events.Redacted(sub, ev)
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
