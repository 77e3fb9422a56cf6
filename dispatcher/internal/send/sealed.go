package send

import (
	"fmt"

	"github.com/outhook/outhook/store"
)

// SealedError is the error of a subscription that is still sealed (store.Subscription.SealedWith):
// no key of package sealed opens it, or the store was not given one. Such a subscription must not
// be sent to.
func SealedError(sub *store.Subscription) error {
	return fmt.Errorf(
		"dispatcher: the secrets and headers of subscription %s are sealed with the key %q; "+
			"give that key to the store, or the subscription all secrets and headers anew: %w",
		sub.ID, sub.SealedWith, store.ErrSealed,
	)
}
