package httpapi

import (
	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Signing says what becomes of a webhook without a signature key, whose deliveries carry no
// signature; see Options.Signing. Each answer about a webhook says whether it is signed. Webhooks
// that are unsigned already stay so until they are subscribed again or rotated, and Go code that
// calls the Dispatcher is not bound.
type Signing int

const (
	// SigningOptional takes webhooks without a key, as Airy does.
	SigningOptional Signing = iota

	// SigningGenerate has /webhooks.subscribe generate a key unless the request has one. The answer
	// shows it as generated_signature_key, and no later one does. A client that has lost the answer
	// subscribes again with the id, which generates another key, or rotates. An update that empties
	// the key gets a 400.
	SigningGenerate

	// SigningRequire answers 400 to a /webhooks.subscribe without a key, and to an update that
	// empties it.
	SigningRequire

	signingEnd // one more than the last
)

// apply gives a webhook that is being subscribed a key where it needs one, which it returns, or
// fails. Clients that left the key out by mistake must not learn it from forged deliveries.
func (s Signing) apply(sub *store.Subscription, f *ask.Fields) (generated signing.Secret) {
	if sub.Signed() {
		return ""
	}
	switch s {
	case SigningGenerate:
		generated = signing.NewSecret()
		sub.Secrets = []signing.Secret{generated}
	case SigningRequire:
		f.Fail("signature_key", "is left out, and this host sends no unsigned deliveries; "+
			`choose a key, such as "whsec_" and the base64 of 32 random bytes`)
	}
	return generated
}

// check fails if a change takes a webhook's key away where each must have one.
func (s Signing) check(c *ask.Change, f *ask.Fields) {
	if s != SigningOptional && c.RemovesKey() {
		f.Fail("signature_key", "is empty, and this host sends no unsigned deliveries; "+
			"leave it out to keep the key, or choose another")
	}
}
