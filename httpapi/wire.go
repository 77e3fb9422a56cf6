package httpapi

import (
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// The pages of /webhooks.list, when a request asks for pages, and of /webhooks.deliveries.
const (
	DefaultPageSize = 100  // webhooks or deliveries, without page_size
	MaxPageSize     = 1000 // the largest page_size
)

// webhook is a subscription in a response. It has no signature key but one that was generated for
// this request.
type webhook struct {
	ID      string            `json:"id"` // a UUID, in lower case
	Name    string            `json:"name,omitempty"`
	URL     string            `json:"url"`     // as it is dialed, with the host in ASCII
	Events  []string          `json:"events"`  // patterns; none means every type
	Headers map[string]string `json:"headers"` // with their values, as Airy shows them
	Status  store.Status      `json:"status"`
	Signed  bool              `json:"signed"` // deliveries carry signatures

	// In the response of the subscribe that generated it, and in no other.
	GeneratedKey string `json:"generated_signature_key,omitempty"`

	// Unreadable says that its headers and keys are sealed with a key that the host does not have.
	// Headers is then empty, and nothing is sent to it.
	Unreadable bool `json:"unreadable,omitempty"`
}

// pagination says which page it is. A cursor is "" at that end of the list.
type pagination struct {
	PreviousCursor string `json:"previous_cursor"`
	NextCursor     string `json:"next_cursor"`
	Total          int    `json:"total"` // on all pages
}

// failure is the response for all statuses but 200.
type failure struct {
	Message string `json:"message"`
}

// newWebhook returns what a response shows of a subscription. Lists and objects that are empty are
// [] and {}, as in Airy, and never null.
func newWebhook(s *store.Subscription) webhook {
	w := webhook{ID: s.ID, Name: s.Name, URL: s.URL, Events: s.Events, Headers: s.Headers,
		Status: s.Status, Signed: s.Signed()}
	if w.Events == nil {
		w.Events = []string{}
	}
	if s.SealedWith != "" { // the values are ciphertext
		w.Unreadable, w.Headers = true, nil
	}
	if w.Headers == nil {
		w.Headers = map[string]string{}
	}
	return w
}

// readSubscription reads a request of /webhooks.subscribe. Its status is ignored: Airy's client
// sends one, and the result is subscribed in any case. What is missing is empty, also where the
// request replaces a webhook.
func readSubscription(f *fields, tenant string) store.Subscription {
	sub := store.Subscription{Tenant: tenant, URL: f.required("url")}
	sub.ID, _ = f.text("id")
	sub.Name, _ = f.text("name")
	sub.Events, _ = f.list("events")
	sub.Headers, _ = f.dict("headers")
	key, _ := readKey(f)
	sub.Secrets = secrets(key)
	return sub
}

// change is a request of /webhooks.update. A nil field stays as it is. The dispatcher validates the
// result.
type change struct {
	url, name, key *string
	events         *[]string
	headers        *map[string]string
	status         *store.Status
}

// readChange reads a request of /webhooks.update. A field that is null is emptied, one that is
// missing is left alone.
func readChange(f *fields) change {
	var c change
	if url, ok := f.text("url"); ok {
		c.url = &url
	}
	if name, ok := f.text("name"); ok {
		c.name = &name
	}
	if events, ok := f.list("events"); ok {
		c.events = &events
	}
	if headers, ok := f.dict("headers"); ok {
		c.headers = &headers
	}
	if key, ok := readKey(f); ok {
		c.key = &key
	}
	if text, ok := f.text("status"); ok {
		c.status = (*store.Status)(&text)
	}
	return c
}

// apply changes a subscription. It has no effects elsewhere, as a store may call it more than once.
func (c *change) apply(sub *store.Subscription) {
	set(&sub.URL, c.url)
	set(&sub.Name, c.name)
	set(&sub.Events, c.events)
	set(&sub.Headers, c.headers)
	if c.key != nil {
		// At once and in place of all keys; to rotate with an overlap is an endpoint of its own.
		sub.Secrets, sub.OverlapUntil = secrets(*c.key), time.Time{}
	}
	// A client that repeats the status of a webhook that the sender has disabled does not clear
	// the DisabledReason.
	if c.status != nil && *c.status != sub.Status {
		sub.Status, sub.DisabledReason = *c.status, ""
	}
}

// set copies a field that the request has.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// readKey reads the signature key under either of its names; a request that has both is refused
// before this.
func readKey(f *fields) (string, bool) {
	if key, ok := f.text("signatureKey"); ok {
		return key, true
	}
	return f.text("signature_key")
}

// secrets returns the keys of a webhook that has this one; "" is none.
func secrets(key string) []signing.Secret {
	if key == "" {
		return nil
	}
	return []signing.Secret{signing.Secret(key)}
}
