package registry

import (
	"fmt"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/store"
)

// Unsubscribe is the change that ends deliveries.
func Unsubscribe(sub *store.Subscription) error {
	sub.Status, sub.DisabledReason = store.Unsubscribed, ""
	return nil
}

// Pause is the change that stops attempts, and Resume ends it. Both return store.ErrConflict if the
// subscription is unsubscribed: it gets nothing that could collect.
func Pause(sub *store.Subscription) error { return setStatus(sub, store.Paused) }

// Resume is the change that ends a pause; see Pause.
func Resume(sub *store.Subscription) error { return setStatus(sub, store.Subscribed) }

func setStatus(sub *store.Subscription, status store.Status) error {
	if err := check.Collects(sub); err != nil {
		return fmt.Errorf("dispatcher: %w", err)
	}
	sub.Status = status
	return nil
}
