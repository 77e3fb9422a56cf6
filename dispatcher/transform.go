package dispatcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/store"
)

// Request is the part of a request that Options.Transform may change. All of it is Transform's own.
type Request struct {
	// Header has the subscription's headers, in canonical form. What is there afterwards is sent. Names that belong to the
	// sender fail the attempt: those that a subscription can't set either.
	Header http.Header

	// Body is what is sent, and signed: the event's body, or from the second attempt on what the first one sent, and then
	// it can't be changed any more.
	Body []byte
}

// errHost says that a function of the host's failed, or left what can't be sent.
var errHost = errors.New("dispatcher: a function of the host's failed")

// message is what an attempt sends, apart from the sender's own headers.
type message struct {
	body   []byte
	header http.Header // in place of the subscription's; nil: those
	keep   []byte      // store.Outcome.Body, should the attempt fail
}

// compose settles what an attempt sends. Its error is errHost, or errBody.
func (s *sender) compose(ctx context.Context, c *store.Claim) (message, error) {
	b, err := parseBody(c.Body)
	if err != nil {
		return message{}, err
	}
	m := message{body: b.sent}
	if b.sent == nil {
		m.body = b.event
	}
	if s.transform != nil {
		if err := s.transformed(ctx, c, b, &m); err != nil {
			return message{}, err
		}
	}
	if b.sent == nil && (s.transform != nil || b.unasked) {
		m.keep = keepSent(b.event, m.body)
	}
	return m, nil
}

// transformed has Options.Transform change the message.
func (s *sender) transformed(ctx context.Context, c *store.Claim, b body, m *message) error {
	e, err := hostEvent(c, b.event)
	if err != nil {
		return err
	}
	r := Request{Header: make(http.Header, len(c.Subscription.Headers)), Body: bytes.Clone(m.body)}
	for name, value := range c.Subscription.Headers {
		r.Header.Set(name, value)
	}
	err = s.transform(ctx, c.Subscription.Clone(), e, &r)
	if err == nil {
		err = checkHostHeader(r.Header)
	}
	if err != nil {
		s.hostFailed("Transform", c, err)
		return errHost
	}
	m.header = r.Header
	if m.header == nil {
		m.header = http.Header{} // none, not the subscription's
	}
	if b.sent == nil {
		m.body = r.Body
	}
	return nil
}

func (s *sender) hostFailed(what string, c *store.Claim, err error) {
	s.log.Error("outhook: Options."+what+" failed", "subscription_id", c.SubscriptionID, "event_id", c.EventID, "error", err)
}

// checkHostHeader says what is wrong with headers that a function of the host's has made. It never repeats a value.
func checkHostHeader(h http.Header) error {
	for name, values := range h {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return fmt.Errorf("it set the header %q, which HTTP does not allow", name)
		case isReserved(http.CanonicalHeaderKey(name)):
			return fmt.Errorf("it set the header %q, which belongs to the sender", name)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("it set the header %q to a value that HTTP does not allow", name)
			}
		}
	}
	return nil
}
