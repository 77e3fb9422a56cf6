package send

import (
	"net/http"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/store"
)

// cloudEvent makes the message a CloudEvent if the hook says so. Its error is a hookError or
// errBody.
//
// Once an attempt has been made, its body is decided and the hook may have changed its mind. The
// headers must then still say what the body is: a body of structured mode keeps its Content-Type,
// and one that was sent without the mark of a change is the event's own, which is no CloudEvent.
func (s *Sender) cloudEvent(c *store.Claim, m *message) error {
	var f cloudevents.Format
	err := s.guard("CloudEvents", c, func() error {
		f = s.hooks.CloudEvents(c.Subscription.Clone())
		return f.Validate()
	})
	if err != nil {
		return err
	}
	switch {
	case c.BodyState == store.BodyUnchanged, c.BodyState == store.BodyReduced:
		return nil
	case c.BodyState == store.BodyOverridden:
		if cloudevents.IsStructured(m.body) {
			m.contentType = cloudevents.ContentType
			return nil
		}
		if f.Mode != cloudevents.Binary {
			return nil
		}
	case f.Mode == cloudevents.Off:
		return nil
	}
	body := m.body // reduced to the fields
	if isDecided(c) {
		body = c.Body // its payload matters no more
	}
	payload, ok := events.PayloadOf(body)
	if !ok {
		return errBody
	}
	e := events.Event{
		ID: c.EventID, Type: c.EventType, Key: c.Key, Time: c.EventTime, Payload: payload,
	}
	made := f.Encode(&e, s.hooks.SchemaURIs[c.EventType])
	if !isDecided(c) {
		m.body = made.Body
	}
	m.contentType, m.attributes = made.ContentType, made.Header
	return nil
}

// setAttributes sets the headers that make a message a CloudEvent of binary mode, in place of what
// a subscription has under their names.
func (m *message) setAttributes(h http.Header) {
	for name, values := range m.attributes {
		h[name] = values
	}
}
