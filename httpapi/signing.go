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

	// SigningGenerateEd25519 is SigningGenerate with an Ed25519 key in place of a symmetric one,
	// unless the request has another signature_kind. The answer shows its public half, as every
	// later one does; the private one is in no answer.
	SigningGenerateEd25519

	signingEnd // one more than the last
)

// apply gives a webhook that is being subscribed its key: that of the request, one of the kind that
// it names, or one where it needs one; or it fails. Clients that left the key out by mistake must
// not learn it from forged deliveries. It returns a key that it has made and that the client must
// be shown.
func (s Signing) apply(sub *store.Subscription, f *ask.Fields) (generated signing.Secret) {
	key, made := ask.NewKey(f)
	if key == "" {
		switch s {
		case SigningGenerate:
			key, made = signing.NewSecret(), true
		case SigningGenerateEd25519:
			key, made = signing.NewEd25519Secret(), true
		case SigningRequire:
			f.Fail("signature_key", "is left out, and this host sends no unsigned deliveries; "+
				`choose a key, such as "whsec_" and the base64 of 32 random bytes, or a signature_kind`)
		}
	}
	if key != "" {
		sub.Secrets = []signing.Secret{key}
	}
	if made && key.Kind() != signing.Ed25519 {
		return key
	}
	return ""
}

// check fails if a change takes a webhook's key away where each must have one.
func (s Signing) check(c *ask.Change, f *ask.Fields) {
	if s != SigningOptional && c.RemovesKey() {
		f.Fail("signature_key", "is empty, and this host sends no unsigned deliveries; "+
			"leave it out to keep the key, or choose another")
	}
}
