package sealed

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/store"
)

// resealPage is how many subscriptions Reseal reads at a time.
const resealPage = 100

// errCurrent ends an update that would change nothing.
var errCurrent = errors.New("it is sealed with the first key already")

// Reseal seals all values that are not sealed with the first key, of all tenants, and returns how
// many subscriptions it has written. Call it after a change of keys, or after turning sealing on.
//
// It updates one subscription at a time, and may run beside everything else and in several
// processes. After an error it can be called again. It leaves subscriptions that do not open as
// they are; when all others are done, it returns an error with their number and the reason for the
// first. The error wraps [store.ErrSealed].
func (s *Store) Reseal(ctx context.Context) (n int, err error) {
	q := store.SubscriptionQuery{AnyTenant: true, Limit: resealPage}
	var failed int
	var first error
	for {
		page, err := s.Store.Subscriptions(ctx, q)
		if err != nil {
			return n, fmt.Errorf("sealed: reseal: %w", err)
		}
		for i := range page.Items {
			switch err := s.reseal(ctx, &page.Items[i]); {
			case err == nil:
				n++
			case errors.Is(err, errCurrent), errors.Is(err, store.ErrNotFound):
				// or it was deleted meanwhile
			case errors.Is(err, store.ErrSealed):
				failed++
				if first == nil {
					first = err
				}
			default:
				return n, fmt.Errorf("sealed: reseal: %w", err)
			}
		}
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	if failed > 0 {
		return n, fmt.Errorf("sealed: reseal: %d subscriptions do not open; the first: %w", failed, first)
	}
	return n, nil
}

// reseal writes one subscription, or returns errCurrent.
func (s *Store) reseal(ctx context.Context, listed *store.Subscription) error {
	if s.keys.currentSubscription(listed) {
		return errCurrent
	}
	_, err := s.Store.UpdateSubscription(ctx, listed.ID, func(kept *store.Subscription) error {
		if s.keys.currentSubscription(kept) {
			return errCurrent
		}
		if err := s.keys.openSubscription(kept); err != nil {
			return err
		}
		s.keys.sealSubscription(kept)
		return nil
	})
	s.opened.forget(listed.ID)
	return err
}
