package dispatcher

import (
	"context"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Request is the part of a request that Options.Transform may change. Nothing else uses its memory.
type Request struct {
	// Header has the subscription's headers, in canonical form. What Transform leaves in it is sent.
	// The names that a subscription can't set, such as Host and webhook-id, fail the attempt.
	Header http.Header

	// Body is what is sent and signed: the event's body, or what Options.CloudEvents makes of it.
	// Once the delivery was sent, it is what the first request had, and changes of it are ignored.
	Body []byte
}

// Message is what Options.Sign signs: one attempt of a delivery. Sign may keep and change it.
type Message struct {
	SubscriptionID string
	ID             string           // the event's: webhook-id
	Time           time.Time        // when the attempt starts: webhook-timestamp has its seconds
	Body           []byte           // the bytes that are sent
	Keys           []signing.Secret // the subscription's that sign now, see store.Subscription.Keys
}

// hooks returns the options' functions as package send calls them.
func (o *Options) hooks() send.Hooks {
	h := send.Hooks{Filter: o.Filter, Authenticate: o.Authenticate, TLS: o.TLS,
		CloudEvents: o.CloudEvents}
	if o.CloudEvents != nil {
		h.SchemaURIs = check.SchemaURIs(o.EventTypes)
	}
	if o.Transform != nil {
		h.Transform = func(
			ctx context.Context, sub store.Subscription, e events.Event, header *http.Header, body *[]byte,
		) error {
			r := Request{Header: *header, Body: *body}
			err := o.Transform(ctx, sub, e, &r)
			*header, *body = r.Header, r.Body
			return err
		}
	}
	if o.Sign != nil {
		h.Sign = func(
			subscriptionID, eventID string, at time.Time, body []byte, keys []signing.Secret,
		) (http.Header, error) {
			return o.Sign(Message{
				SubscriptionID: subscriptionID, ID: eventID, Time: at, Body: body, Keys: keys,
			})
		}
	}
	return h
}

// BasicAuth returns a user's credentials (RFC 7617). The name must not have a colon.
func BasicAuth(user, password string) http.Header {
	r := http.Request{Header: make(http.Header)}
	r.SetBasicAuth(user, password)
	return r.Header
}
