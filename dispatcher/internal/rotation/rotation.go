// Package rotation changes the signature keys of a subscription without a moment at which a
// receiver that knows one of them can verify nothing.
package rotation

import (
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// CheckOverlap returns an *events.InvalidError unless old keys may go on signing for that long.
func CheckOverlap(overlap time.Duration) error {
	reason := ""
	switch {
	case overlap < 0:
		reason = fmt.Sprintf("is %v; give a positive duration, or zero for none", overlap)
	case overlap > store.MaxDuration:
		reason = fmt.Sprintf("is %v; give at most %v", overlap, store.MaxDuration)
	default:
		return nil
	}
	return &events.InvalidError{Field: "overlap", Reason: reason}
}

// Rotate gives sub a new key at the time now: next, or if that is empty, a generated one of the
// kind of the newest. The keys that sign now sign too during the overlap.
func Rotate(sub *store.Subscription, next signing.Secret, overlap time.Duration, now time.Time) {
	if next == "" {
		next = signing.NewSecretOf(sub.NewestKey().Kind())
	}
	var keys []signing.Secret
	if overlap > 0 {
		keys = slices.DeleteFunc(slices.Clone(sub.Keys(now)),
			func(key signing.Secret) bool { return key == next })
	}
	sub.Secrets = append(keys, next)
	sub.OverlapUntil = time.Time{}
	if len(sub.Secrets) > 1 {
		sub.OverlapUntil = now.Add(overlap)
	}
}
