package ask

import (
	"fmt"
	"strings"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Subscription reads a request of /webhooks.subscribe. Its status is ignored: Airy's client sends
// one, and the result is subscribed in any case. What is missing is empty, also where the request
// replaces a webhook. Its keys are read by NewKey.
func Subscription(f *Fields, tenant string) store.Subscription {
	sub := store.Subscription{Tenant: tenant}
	if polled(f) {
		f.withoutURL()
	} else {
		sub.URL = f.Required("url")
	}
	sub.ID, _ = f.Text("id")
	sub.Name, _ = f.Text("name")
	sub.Events, _ = f.List("events")
	sub.Headers, _ = f.Dict("headers")
	s := readSettings(f)
	s.apply(&sub)
	return sub
}

// Choice reads a request of /webhooks.test_filter: which events a webhook would get, and what of
// them.
func Choice(f *Fields, tenant string) store.Subscription {
	sub := store.Subscription{Tenant: tenant}
	sub.Events, _ = f.List("events")
	sub.Filter, _ = f.Object("filter")
	sub.Fields, _ = f.List("fields")
	return sub
}

// Change is a request of /webhooks.update. A nil field stays as it is. The dispatcher validates the
// result.
type Change struct {
	url, name, key *string
	events         *[]string
	headers        *map[string]string
	status         *store.Status
	settings
}

// ReadChange reads a request of /webhooks.update. A field that is null is emptied, one that is
// missing is left alone.
func ReadChange(f *Fields) Change {
	c := Change{settings: readSettings(f)}
	if url, ok := f.Text("url"); ok {
		c.url = &url
	}
	if polled(f) {
		f.withoutURL()
		c.url = new(string)
	}
	if name, ok := f.Text("name"); ok {
		c.name = &name
	}
	if events, ok := f.List("events"); ok {
		c.events = &events
	}
	if headers, ok := f.Dict("headers"); ok {
		c.headers = &headers
	}
	if key, ok := Key(f); ok {
		c.key = &key
	}
	if text, ok := f.Text("status"); ok {
		c.status = (*store.Status)(&text)
	}
	return c
}

// RemovesKey reports whether the change leaves the webhook without a signature key.
func (c *Change) RemovesKey() bool { return c.key != nil && *c.key == "" }

// Apply changes a subscription. It has no effects elsewhere, as a store may call it more than once.
func (c *Change) Apply(sub *store.Subscription) {
	set(&sub.URL, c.url)
	set(&sub.Name, c.name)
	set(&sub.Events, c.events)
	set(&sub.Headers, c.headers)
	c.settings.apply(sub)
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

// polled reports whether a webhook is to be read by poll, and so to have no URL.
func polled(f *Fields) bool { return f.Bool("poll", false) }

// withoutURL fails if there is a URL too.
func (f *Fields) withoutURL() {
	if _, given := f.Text("url"); given {
		f.Fail("poll", "is given beside a url; give one of them")
	}
}

// set copies a field that the request has.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Key reads the signature key under either of its names; a request that has both is refused before
// this. A private key is refused: what a client has sent is known to others than the sender.
func Key(f *Fields) (string, bool) {
	key, ok := f.Text("signatureKey")
	if !ok {
		key, ok = f.Text("signature_key")
	}
	if strings.HasPrefix(key, "whsk_") {
		f.Fail("signature_key", `starts with "whsk_", so it is a private key, which nobody but the `+
			`sender may have; leave it out and give signature_kind "ed25519", and a key is made`)
	}
	return key, ok
}

// Kind reads the kind of a signature key that is to be made; "" if the request has none.
func Kind(f *Fields) signing.Kind {
	text, _ := f.Text("signature_kind")
	switch kind := signing.Kind(text); kind {
	case "", signing.HMAC, signing.Ed25519:
		return kind
	}
	f.Fail("signature_kind", fmt.Sprintf("is unknown; give %q or %q", signing.HMAC, signing.Ed25519))
	return ""
}

// NewKey reads the key that a webhook is to get: the one of the request, or one that is made here,
// of the kind that the request names. It is "" if the request has neither.
func NewKey(f *Fields) (key signing.Secret, made bool) {
	given, _ := Key(f)
	kind := Kind(f)
	switch {
	case kind == signing.Ed25519 && given != "":
		f.Fail("signature_kind", `is "ed25519", whose key is made by the sender, and signature_key has `+
			"one; leave one of them out")
	case given == "" && kind != "":
		return signing.NewSecretOf(kind), true
	}
	return signing.Secret(given), false
}

// secrets returns the keys of a webhook that has this one; "" is none.
func secrets(key string) []signing.Secret {
	if key == "" {
		return nil
	}
	return []signing.Secret{signing.Secret(key)}
}
