package dispatchertest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/outhook/outhook/events/cloudevents"
)

// parseCloudEvent reads what Options.CloudEvents has made of an event. ok is false if it is none.
func (d *Delivery) parseCloudEvent(h http.Header, body []byte) (ok bool, err error) {
	var e struct {
		Type string          `json:"type"`
		Time time.Time       `json:"time"`
		Data json.RawMessage `json:"data"`
	}
	switch {
	case h.Get("Content-Type") == cloudevents.ContentType:
		err = json.Unmarshal(body, &e)
	case h.Get("ce-specversion") != "":
		e.Data = body
		if e.Type, err = url.PathUnescape(h.Get("ce-type")); err == nil {
			e.Time, err = time.Parse(time.RFC3339, h.Get("ce-time"))
		}
	default:
		return false, nil
	}
	d.Type, d.Time, d.Payload = e.Type, e.Time.UTC(), e.Data
	return true, err
}
