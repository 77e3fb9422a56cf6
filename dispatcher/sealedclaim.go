package dispatcher

import (
	"fmt"
	"strings"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/sealed"
)

// sealedPause is how long a subscription is left alone whose secrets did not open.
const sealedPause = time.Minute

// isSealed reports whether a secret or a header of a subscription is ciphertext still: no key of package sealed's opens it,
// or nobody has tried. Such a value must not be sent, or sign anything.
func isSealed(sub *store.Subscription) bool {
	for _, s := range sub.Secrets {
		if looksSealed(string(s)) {
			return true
		}
	}
	for _, v := range sub.Headers {
		if looksSealed(v) {
			return true
		}
	}
	return false
}

func looksSealed(value string) bool { return strings.HasPrefix(value, sealed.Prefix) }

func sealedError(id string) error {
	return fmt.Errorf("dispatcher: the secrets of subscription %s are sealed; give the store the key they were sealed with: %w", id, store.ErrCorrupt)
}
