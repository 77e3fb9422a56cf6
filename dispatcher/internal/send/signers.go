package send

import (
	"hash/maphash"
	"slices"
	"sync/atomic"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// maxSigners is how many subscriptions' keys stay ready.
const maxSigners = 256

// signers keeps the keys of subscriptions ready to sign: making them ready takes as long as a part
// of each signature. Of two subscriptions with one place in the table, the later stays; it is read
// and written without a lock. It may be used by any number of goroutines.
type signers struct {
	seed maphash.Seed
	kept [maxSigners]atomic.Pointer[signer] // by the hash of the subscription's ID
}

// signer is the keys of a subscription, ready to sign.
type signer struct {
	keys []signing.Secret
	*signing.Signer
}

// newSigners returns an empty table. Its seed is random, so that nobody can choose subscriptions
// that have the same place in it.
func newSigners() *signers { return &signers{seed: maphash.MakeSeed()} }

// of returns what signs for a subscription by its keys of the moment.
func (x *signers) of(sub *store.Subscription, keys []signing.Secret) *signing.Signer {
	slot := &x.kept[maphash.String(x.seed, sub.ID)%maxSigners]
	// By the keys and not by the subscription: they rotate, and another may have this place.
	if s := slot.Load(); s != nil && slices.Equal(s.keys, keys) {
		return s.Signer
	}
	s := &signer{slices.Clone(keys), signing.NewSigner(keys...)}
	slot.Store(s)
	return s.Signer
}
