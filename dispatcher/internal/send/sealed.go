package send

import (
	"fmt"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/sealed"
)

// IsSealed reports whether a secret or a header of a subscription is still ciphertext: no key of
// package sealed opens it, or the store was not given one. Such a subscription must not be sent to:
// the ciphertext would go out, or sign.
func IsSealed(sub *store.Subscription) bool {
	for _, s := range sub.Secrets {
		if LooksSealed(string(s)) {
			return true
		}
	}
	for _, v := range sub.Headers {
		if LooksSealed(v) {
			return true
		}
	}
	return false
}

// LooksSealed reports whether a value begins as ciphertext of package sealed does.
func LooksSealed(value string) bool { return strings.HasPrefix(value, sealed.Prefix) }

// SealedError is the error of a subscription of which IsSealed is true.
func SealedError(id string) error {
	return fmt.Errorf(
		"dispatcher: the secrets of subscription %s are sealed; give the store the key they were sealed with: %w",
		id,
		store.ErrCorrupt,
	)
}
