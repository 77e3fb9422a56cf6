package dispatcher

import (
	"bytes"
	"net/http"
	"slices"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Message is what Options.Sign signs: one attempt of a delivery. All of it is Sign's own.
type Message struct {
	SubscriptionID string
	ID             string           // the event's: webhook-id
	Time           time.Time        // when the attempt starts: webhook-timestamp has its seconds
	Body           []byte           // the bytes that are sent
	Keys           []signing.Secret // those of the subscription that sign now, see store.Subscription.Keys; none when it has none
}

// signed adds what Options.Sign makes of an attempt to its headers. Its error is errHost.
func (s *sender) signed(c *store.Claim, body []byte, at time.Time, h http.Header) error {
	if s.sign == nil {
		return nil
	}
	more, err := s.sign(Message{
		SubscriptionID: c.SubscriptionID,
		ID:             c.EventID,
		Time:           at,
		Body:           bytes.Clone(body),
		Keys:           slices.Clone(c.Subscription.Keys(at)),
	})
	if err == nil {
		err = checkHostHeader(more)
	}
	if err != nil {
		s.hostFailed("Sign", c, err)
		return errHost
	}
	for name, values := range more {
		h[http.CanonicalHeaderKey(name)] = values
	}
	return nil
}
