package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
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
	args = append(args, orNull(sub.OverlapUntil), string(sub.Status), sub.DisabledReason, sub.SealedWith)
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
// No lock is held while change runs: when another update has come between, it runs again on what
// that left.
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

// update stores the draft unless the subscription has changed since. Then the error is
// pgx.ErrNoRows.
func (s *Store) update(ctx context.Context, before *subscription, draft *store.Subscription) (after subscription, err error) {
	args := append([]any{before.num, before.version}, settings(draft)...)
	args = append(args, string(draft.Status), draft.DisabledReason, orNull(draft.OverlapUntil), s.table("events"), draft.SealedWith)
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
			b.Queue(s.sql.Remove, id).Exec(func(tag pgconn.CommandTag) error { gone = tag.RowsAffected(); return nil })
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
func (s *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	found, err := s.subscriptions(ctx, &q)
	if err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("pgstore: subscriptions: %w", err)
	}
	return found, nil
}

func (s *Store) subscriptions(
	ctx context.Context, q *store.SubscriptionQuery,
) (found store.Page[store.Subscription], err error) {
	if err := q.Validate(); err != nil {
		return found, err
	}
	if err := s.begin(ctx); err != nil {
		return found, err
	}
	c, err := page.Collect[subscription](q.Cursor, page.LimitOrAll(q.Limit), 0)
	if err != nil {
		return found, err
	}
	total, more := 0, false
	query := func(from page.Cursor, limit int) (sql string, args []any) {
		sql = s.sql.ListSubscriptions
		if from.Back {
			sql = strings.NewReplacer(">= $3", "< $3", "ORDER BY s.num", "ORDER BY s.num DESC").Replace(sql)
		}
		most := any(limit)
		if limit == 0 {
			most = nil // NULL is no limit
		}
		return sql, []any{q.AnyTenant, q.Tenant, int64(from.At.Num), most}
	}
	err = s.read(ctx, plainSettings, func(b *batch) {
		here, args := query(c.Cursor(), c.Fetch())
		b.Queue(here, args...).Query(func(rows pgx.Rows) error {
			return collect(rows, c, oneOf, (*subscription).position)
		})
		if other, ok := c.Other(); ok {
			there, args := query(other, 1)
			b.Queue(there, args...).Query(func(rows pgx.Rows) error { return anyRow(rows, &more) })
		}
		b.Queue(s.count(), q.AnyTenant, q.Tenant).
			QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
	})
	if err != nil {
		return found, err
	}
	found = page.Map(c.Page(more), func(sub *subscription) store.Subscription { return sub.Subscription })
	found.Total = total
	return found, nil
}

// position returns where sub stands in a listing.
func (sub *subscription) position() page.Position { return page.Position{Num: uint64(sub.num)} }

// count is the statement that counts subscriptions.
func (s *Store) count() string {
	_, from, _ := strings.Cut(s.sql.ListSubscriptions, "\nFROM ")
	from, _, _ = strings.Cut(from, " AND s.num")
	return "SELECT count(*) FROM " + from
}

func oneOf(row pgx.CollectableRow) (subscription, error) { return one(row) }
