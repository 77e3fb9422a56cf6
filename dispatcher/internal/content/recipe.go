package content

import (
	"errors"
	"net/http"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/events/filter"
	"github.com/outhook/outhook/store"
)

var (
	// ErrBody is about a stored event whose payload cannot be found in its body. It is only noticed
	// if the payload is needed.
	ErrBody = errors.New("content: the stored body is not one that can be read")

	// ErrFields is about stored Fields that Subscribe would not have stored.
	ErrFields = errors.New("content: the stored fields are not ones that can be read")
)

// usualType is the Content-Type of what events.Event.Body makes.
const usualType = "application/json"

// Recipe says what is sent of an event. The zero value is the usual one: the whole event as JSON. A
// Recipe is for reading only.
type Recipe struct {
	Type   string             // the Content-Type if it is no CloudEvent; "" for application/json
	Fields []string           // to which the payload is reduced; if none, it is sent whole
	Event  cloudevents.Format // how it is made a CloudEvent
	Schema string             // the dataschema of that; "" if there is none

	// Own, if it is not nil, is sent in place of the body that the rest makes. It may be empty.
	Own []byte
}

// Content is what is sent of an event.
type Content struct {
	Body       []byte
	Type       string      // Content-Type
	Attributes http.Header // of a CloudEvent in binary mode; nil otherwise
}

// isUsual reports whether the whole event is sent as JSON.
func (r *Recipe) isUsual() bool {
	return (r.Type == "" || r.Type == usualType) && len(r.Fields) == 0 &&
		r.Event.Mode == cloudevents.Off && r.Own == nil
}

// Make returns the content of a claim's event. It may share memory with the claim and the recipe,
// and is for reading only. Its error is ErrBody or ErrFields.
func (r *Recipe) Make(c *store.Claim) (Content, error) {
	out := Content{Body: c.Body, Type: r.Type}
	if out.Type == "" {
		out.Type = usualType
	}
	var err error
	if r.Own == nil && len(r.Fields) > 0 {
		if out.Body, err = reduce(c.Body, r.Fields); err != nil {
			return Content{}, err
		}
	}
	if r.Event.Mode != cloudevents.Off {
		if out, err = r.cloudEvent(c, out.Body); err != nil {
			return Content{}, err
		}
	}
	if r.Own != nil {
		out.Body = r.Own
	}
	return out, nil
}

// cloudEvent returns a body as a CloudEvent. Without a body that can be read there are still its
// attributes, which is enough if the body is of the host's own.
func (r *Recipe) cloudEvent(c *store.Claim, body []byte) (Content, error) {
	payload, ok := events.PayloadOf(body)
	if !ok && r.Own == nil {
		return Content{}, ErrBody
	}
	made := r.Event.Encode(&events.Event{
		ID: c.EventID, Type: c.EventType, Key: c.Key, Time: c.EventTime, Payload: payload,
	}, r.Schema)
	return Content{made.Body, made.ContentType, made.Header}, nil
}

// reduce returns a body with its payload reduced to the fields. Type and timestamp stay. Its error
// is ErrBody or ErrFields.
func reduce(body []byte, fields []string) ([]byte, error) {
	f, err := filter.ParseFields(fields)
	if err != nil {
		return nil, ErrFields
	}
	payload, ok := events.PayloadOf(body)
	if !ok {
		return nil, ErrBody
	}
	end := body[len(body)-1] // the brace behind the payload
	head := body[:len(body)-1-len(payload)]
	out, ok := f.Append(append(make([]byte, 0, len(body)), head...), payload)
	if !ok {
		return nil, ErrBody
	}
	return append(out, end), nil
}
