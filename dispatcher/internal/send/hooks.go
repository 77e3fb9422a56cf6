package send

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/dispatcher/internal/content"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Hooks are functions of the host that are asked about an attempt. Each may be nil, and may panic.
// They get copies, so that they can keep and change what they get.
type Hooks struct {
	// Filter says whether a subscription is to get an event.
	Filter func(store.Subscription, events.Event) bool

	// Transform may change the subscription's headers and the body before they are sent.
	Transform func(
		ctx context.Context, sub store.Subscription, e events.Event, header *http.Header, body *[]byte,
	) error

	// Authenticate returns the credentials of an attempt, as headers to add. rejected are those
	// that it has returned before in this attempt, and that the endpoint has refused by a 401.
	Authenticate func(
		ctx context.Context, sub store.Subscription, rejected http.Header,
	) (http.Header, error)

	// Sign returns headers to add. Keys are the subscription's that sign at the time.
	Sign func(
		subscriptionID, eventID string, at time.Time, body []byte, keys []signing.Secret,
	) (http.Header, error)

	// CloudEvents says how events become CloudEvents before Transform is asked. SchemaURIs are the
	// dataschema of each event type that has one.
	CloudEvents func(store.Subscription) cloudevents.Format
	SchemaURIs  map[string]string

	// TLS returns the configuration of the connection to an https endpoint; nil for the default.
	TLS func(store.Subscription) *tls.Config
}

// ReasonFiltered is the LastError of a delivery that Filter canceled.
const ReasonFiltered = "filtered"

// Filter asks the hook about a delivery that has not been attempted yet. If it panics, or the event
// cannot be read, failed is the attempt that this counts as, and wanted says nothing.
func (s *Sender) Filter(c *store.Claim) (wanted bool, failed *Result) {
	if s.hooks.Filter == nil {
		return true, nil
	}
	// The filter is not asked again once a request was made, as the endpoint may have the event
	// already.
	if content.IsDecided(c) {
		return true, nil
	}
	at := time.Now()
	err := s.guard("Filter", c, func() error {
		e, err := hostEvent(c)
		if err == nil {
			wanted = s.hooks.Filter(c.Subscription.Clone(), e)
		}
		return err
	})
	if err != nil {
		return false, &Result{
			Attempt: store.Attempt{At: at, Error: describe(err)},
			Kind:    KindOurs,
			Mark:    content.Unsent(c),
		}
	}
	return wanted, nil
}

// transform has the hook change the headers of the message, and returns what it makes of the body.
// It is called for retries too, whose body is decided, for the sake of their headers. Its error is
// a hookError or content.ErrBody.
func (s *Sender) transform(ctx context.Context, c *store.Claim, m *message) ([]byte, error) {
	header := make(http.Header, len(c.Subscription.Headers))
	for name, value := range c.Subscription.Headers {
		header.Set(name, value)
	}
	body := bytes.Clone(m.Body)
	err := s.guard("Transform", c, func() error {
		e, err := hostEvent(c)
		if err != nil {
			return err
		}
		if err := s.hooks.Transform(ctx, c.Subscription.Clone(), e, &header, &body); err != nil {
			return err
		}
		// Checked here, and not when they are sent, so that it counts as the hook's failure.
		return checkHookHeader(header)
	})
	if err != nil {
		return nil, err
	}
	m.header = header
	if m.header == nil {
		m.header = http.Header{} // none, not the subscription's
	}
	return body, nil
}

// sign has the hook sign an attempt. Its error is a hookError.
func (s *Sender) sign(c *store.Claim, m *message) error {
	if s.hooks.Sign == nil {
		return nil
	}
	return s.guard("Sign", c, func() (err error) {
		m.signed, err = s.hooks.Sign(
			c.SubscriptionID,
			c.EventID,
			m.at,
			bytes.Clone(m.Body),
			slices.Clone(c.Subscription.Keys(m.at)),
		)
		if err == nil {
			err = checkHookHeader(m.signed)
		}
		return err
	})
}

// tlsConfig returns what the hook has for the subscription of a claim. Its error is a hookError.
func (s *Sender) tlsConfig(c *store.Claim) (config *tls.Config, err error) {
	err = s.guard("TLS", c, func() error {
		config = s.hooks.TLS(c.Subscription.Clone())
		return nil
	})
	return config, err
}

// guard calls a hook, the option of that name. It logs an error or a panic, and returns a hookError
// for it, so that the attempt speaks against nobody but the host.
func (s *Sender) guard(hook string, c *store.Claim, call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.logError(c, "outhook: Options."+hook+" panicked", slog.String("panic", fmt.Sprint(p)))
			err = &hookError{hook}
		}
	}()
	switch err := call(); {
	case err == content.ErrBody: // the stored event is damaged, and the hook was not called
		return err
	case err != nil:
		s.logError(c, "outhook: Options."+hook+" failed", slog.Any("error", err))
		return &hookError{hook}
	}
	return nil
}

// checkHookHeader says what is wrong with headers that a hook has made. It never repeats a value,
// which may be a credential: the text goes into the host's log.
func checkHookHeader(h http.Header) error {
	for name, values := range h {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return fmt.Errorf("it set the header %q, which HTTP does not allow", name)
		case IsReserved(name):
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

// hostEvent rebuilds the event of a claim for a hook, in memory of its own: the claim's body is
// what is sent and signed, and a hook may write to what it gets. Its error is content.ErrBody.
func hostEvent(c *store.Claim) (events.Event, error) {
	payload, ok := events.PayloadOf(c.Body)
	if !ok {
		return events.Event{}, content.ErrBody
	}
	return events.Event{
		ID:      c.EventID,
		Type:    c.EventType,
		Tenant:  c.Tenant,
		Key:     c.Key,
		Time:    c.EventTime,
		Payload: bytes.Clone(payload),
		Trace:   c.Trace,
		Tags:    slices.Clone(c.Tags),

		NotBefore: c.NotBefore,
		ExpiresAt: c.ExpiresAt,
	}, nil
}
