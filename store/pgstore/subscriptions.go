package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// CreateSubscription implements [store.Subscriptions].
func (s *Store) CreateSubscription(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
	out, err := s.create(ctx, &sub)
	if err != nil {
		return store.Subscription{}, fmt.Errorf("pgstore: create subscription: %w", told("subscription", err))
	}
	return out.Subscription, nil
}

func (s *Store) create(ctx context.Context, sub *store.Subscription) (out subscription, err error) {
	if err := sub.Validate(); err != nil {
		return out, err
	}
	if err := s.begin(ctx); err != nil {
		return out, err
	}
	args := append([]any{sub.ID, sub.Tenant}, settings(sub)...)
	args = append(args, orNull(sub.OverlapUntil), string(sub.Status), sub.DisabledReason)
	var missed error
	err = s.write(ctx, plainSettings, func(b *batch) {
		b.Queue(s.sql.Create, args...).QueryRow(func(row pgx.Row) error {
			out, missed = one(row)
			return nil
		})
	})
	if err == nil {
		err = missed
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return out, store.ErrConflict
	}
	return out, err
}

// one reads a subscription.
func one(row pgx.Row) (sub subscription, err error) {
	if err := row.Scan(sub.columns()...); err != nil {
		return subscription{}, err
	}
	sub.tidy()
	return sub, nil
}

// Subscription implements [store.Subscriptions].
func (s *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	sub, err := s.subscription(ctx, id)
	if err != nil {
		return store.Subscription{}, fmt.Errorf("pgstore: subscription: %w", err)
	}
	return sub.Subscription, nil
}

func (s *Store) subscription(ctx context.Context, id string) (sub subscription, err error) {
	if err := s.begin(ctx); err != nil {
		return sub, err
	}
	sub, err = one(scanFunc(s.readRow(ctx, s.sql.Get, id)))
	if errors.Is(err, pgx.ErrNoRows) || state(err) == invalidText {
		return sub, store.ErrNotFound
	}
	return sub, err
}

// UpdateSubscription implements [store.Subscriptions].
//
// No lock is held while change runs: when another update has come between, it runs again on what that left.
func (s *Store) UpdateSubscription(ctx context.Context, id string, change func(*store.Subscription) error) (store.Subscription, error) {
	for began := time.Now(); ; {
		before, err := s.subscription(ctx, id)
		if err != nil {
			return store.Subscription{}, fmt.Errorf("pgstore: update subscription: %w", err)
		}
		draft := before.Subscription.Clone()
		if err := change(&draft); err != nil {
			return store.Subscription{}, err
		}
		if err := draft.Validate(); err != nil {
			return store.Subscription{}, fmt.Errorf("pgstore: update subscription: %w", err)
		}
		after, err := s.update(ctx, &before, &draft)
		if err == nil {
			s.noticed(ctx)
			return after.Subscription, nil
		}
		again := errors.Is(err, pgx.ErrNoRows) || state(err) == deadlockDetected
		if errors.Is(err, pgx.ErrNoRows) && time.Since(began) > statementTimeout {
			err = fmt.Errorf("others have changed it again and again for %v; try again", statementTimeout)
			again = false
		}
		if !again {
			return store.Subscription{}, fmt.Errorf("pgstore: update subscription: %w", told("subscription", err))
		}
	}
}

// update stores the draft unless the subscription has changed since. Then the error is pgx.ErrNoRows.
func (s *Store) update(ctx context.Context, before *subscription, draft *store.Subscription) (after subscription, err error) {
	args := append([]any{before.num, before.version}, settings(draft)...)
	args = append(args, string(draft.Status), draft.DisabledReason, orNull(draft.OverlapUntil), s.table("events"))
	var missed error
	err = s.write(ctx, plainSettings, func(b *batch) {
		b.Queue(s.sql.Update, args...).QueryRow(func(row pgx.Row) error {
			after, missed = one(row)
			return nil
		})
	})
	if err == nil {
		err = missed
	}
	return after, err
}

// DeleteSubscription implements [store.Subscriptions].
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	var gone int64
	err := s.begin(ctx)
	if err == nil {
		err = s.write(ctx, plainSettings, func(b *batch) {
			b.Queue(s.sql.Remove, id).Exec(func(tag commandTag) error { gone = tag.RowsAffected(); return nil })
		})
	}
	if err == nil && gone == 0 || state(err) == invalidText {
		err = store.ErrNotFound
	}
	if err == nil {
		s.noticed(ctx)
	}
	if err != nil {
		return fmt.Errorf("pgstore: delete subscription: %w", err)
	}
	return nil
}

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(ctx context.Context, q store.SubscriptionQuery) (store.Page[store.Subscription], error) {
	page, err := s.subscriptions(ctx, q)
	if err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("pgstore: subscriptions: %w", err)
	}
	return page, nil
}

func (s *Store) subscriptions(ctx context.Context, q store.SubscriptionQuery) (page store.Page[store.Subscription], err error) {
	if err := q.Validate(); err != nil {
		return page, err
	}
	if err := s.begin(ctx); err != nil {
		return page, err
	}
	cur, err := parseCursor(q.Cursor)
	if err != nil {
		return page, err
	}
	q.Limit = min(q.Limit, maxPage)
	var limit any // NULL is none
	if q.Limit > 0 {
		limit = q.Limit + 1
	}
	l := listing[subscription]{cursor: cur, limit: q.Limit, place: func(sub *subscription) place { return place{0, sub.num} }}
	forward := s.sql.ListSubscriptions
	backward := strings.NewReplacer(">= $3", "< $3", "ORDER BY s.num", "ORDER BY s.num DESC").Replace(forward)
	l.queries(&forward, &backward)
	err = s.read(ctx, plainSettings, func(b *batch) {
		b.Queue(forward, q.AnyTenant, q.Tenant, cur.at[1], limit).
			Query(func(rows pgx.Rows) error { return l.read(rows, oneOf) })
		b.Queue(backward, q.AnyTenant, q.Tenant, cur.at[1], 1).Query(l.readOther)
		b.Queue(s.count(), q.AnyTenant, q.Tenant).
			QueryRow(func(row pgx.Row) error { return row.Scan(&page.Total) })
	})
	if err != nil {
		return page, err
	}
	page.Next, page.Previous = l.cursors()
	for _, sub := range l.items {
		page.Items = append(page.Items, sub.Subscription)
	}
	return page, nil
}

// count is the statement that counts subscriptions.
func (s *Store) count() string {
	_, from, _ := strings.Cut(s.sql.ListSubscriptions, "\nFROM ")
	from, _, _ = strings.Cut(from, " AND s.num")
	return "SELECT count(*) FROM " + from
}

func oneOf(row pgx.CollectableRow) (subscription, error) { return one(row) }
