package sealed

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/outhook/outhook/store"
)

// Store is a [store.Store] that keeps secrets and header values sealed in another one. Methods that
// it does not name are the inner store's.
type Store struct {
	store.Store

	keys   *keyring
	opened cache
}

// New returns a Store around inner. The first key seals; all open. The inner store stays the
// caller's to close.
//
// The error says which key is unusable: there must be one, their IDs valid and each another, and
// none zero.
func New(inner store.Store, keys ...Key) (*Store, error) {
	if inner == nil {
		return nil, errors.New("sealed: the inner store is nil")
	}
	r, err := newKeyring(keys)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	return &Store{Store: inner, keys: r}, nil
}

// Format writes a name for each verb: the keys that the Store holds must not be printed.
func (s *Store) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "sealed.Store") }

// CreateSubscription implements [store.Subscriptions].
func (s *Store) CreateSubscription(ctx context.Context, sub store.Subscription) (store.Subscription,
	error) {
	s.keys.sealSubscription(&sub)
	created, err := s.Store.CreateSubscription(ctx, sub)
	if err != nil {
		return store.Subscription{}, err
	}
	return s.plain(created), nil
}

// UpdateSubscription implements [store.Subscriptions]. What change gets and leaves is plain.
//
// If the subscription does not open, change gets it as it is stored, with its SealedWith. It may
// then leave the secrets, the headers, SealedWith and the URL as they are, or replace all of the
// secrets and headers by plain ones and empty SealedWith. For anything between, UpdateSubscription
// returns [store.ErrSealed]: plain values would be taken for sealed ones, or the rest would never
// open again.
func (s *Store) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	updated, err := s.Store.UpdateSubscription(ctx, id, func(kept *store.Subscription) error {
		was := kept.Clone()
		opens := s.keys.openSubscription(kept)
		sealedWith := kept.SealedWith
		draft := kept.Clone() // its own: change may keep it
		if err := change(&draft); err != nil {
			return err
		}
		draft.ID, draft.Tenant = was.ID, was.Tenant // or what is sealed would not open
		*kept = draft
		if sealedWith != "" && kept.SealedWith != "" { // it does not open, and shall stay so
			if !keepsSealed(kept, &was) {
				return fmt.Errorf("sealed: update subscription: %w", opens)
			}
			return nil
		}
		if sealedWith != "" && keepsOne(kept, &was) { // it would be sealed twice
			return fmt.Errorf("sealed: update subscription: %w", opens)
		}
		s.keys.sealSubscription(kept)
		return nil
	})
	if err != nil {
		return store.Subscription{}, err
	}
	s.opened.forget(id)
	return s.plain(updated), nil
}

// DeleteSubscription implements [store.Subscriptions].
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	err := s.Store.DeleteSubscription(ctx, id)
	s.opened.forget(id)
	return err
}

// Subscription implements [store.Subscriptions].
func (s *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	sub, err := s.Store.Subscription(ctx, id)
	if err != nil {
		return store.Subscription{}, err
	}
	return s.plain(sub), nil
}

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(ctx context.Context,
	q store.SubscriptionQuery) (store.Page[store.Subscription], error) {
	page, err := s.Store.Subscriptions(ctx, q)
	for i := range page.Items {
		page.Items[i] = s.plain(page.Items[i])
	}
	return page, err
}

// Claim implements [store.Queue].
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	s.opened.age()
	claims, err := s.Store.Claim(ctx, req)
	for i := range claims.Claims {
		c := &claims.Claims[i]
		if c.Subscription.SealedWith != "" {
			c.Subscription = s.opened.open(s.keys, c.Subscription)
		}
	}
	return claims, err
}

// plain opens a subscription whose slices and maps are left alone. One that does not open is
// returned as it is stored, with its SealedWith: see the package comment.
func (s *Store) plain(sub store.Subscription) store.Subscription {
	_ = s.keys.openSubscription(&sub)
	return sub
}
