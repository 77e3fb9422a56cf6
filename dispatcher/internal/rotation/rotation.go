// Package rotation says what a subscription's keys are after it got a new one.
package rotation

import (
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Change is a change of a subscription.
type Change = func(*store.Subscription) error

// To returns the change that gives a subscription the key next, or a generated one if that is
// empty. During the overlap, which counts from the change, its old keys go on signing. The error is
// an *events.InvalidError for the overlap.
func To(next signing.Secret, overlap time.Duration) (Change, error) {
	if overlap < 0 {
		return nil, &events.InvalidError{
			Field:  "overlap",
			Reason: fmt.Sprintf("is %v; give a positive duration, or zero for none", overlap),
		}
	}
	if overlap > store.MaxDuration {
		return nil, &events.InvalidError{
			Field: "overlap", Reason: fmt.Sprintf("is %v; give at most %v", overlap, store.MaxDuration),
		}
	}
	if next == "" {
		next = signing.NewSecret()
	}
	return func(sub *store.Subscription) error {
		now := time.Now()
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
		return nil
	}, nil
}

// Unless returns a change that returns store.ErrConflict if the subscription has changed since it
// had this UpdatedAt. The store runs it in the transaction of the change, so nothing comes between.
func Unless(updatedAt time.Time, change Change) Change {
	return func(sub *store.Subscription) error {
		if !sub.UpdatedAt.Equal(updatedAt) {
			return fmt.Errorf("dispatcher: %w: the subscription has changed since; read it again",
				store.ErrConflict)
		}
		return change(sub)
	}
}
