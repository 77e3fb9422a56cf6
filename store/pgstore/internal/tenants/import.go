package tenants

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Import stores a part of a tenant that another store has exported.
func (t *Tenants) Import(ctx context.Context, tenant string, part *store.TenantPart) error {
	if len(part.Subscriptions) > 0 {
		if err := t.importSubscriptions(ctx, tenant, part.Subscriptions); err != nil {
			return replica.InputError("subscription", err)
		}
	}
	if len(part.Events) == 0 {
		return nil
	}
	if err := t.importEvents(ctx, tenant, part.Events); err != nil {
		return replica.InputError("event", err)
	}
	t.AfterNotices(ctx)
	return nil
}

// importSubscriptions stores subscriptions with their health, in one transaction.
func (t *Tenants) importSubscriptions(
	ctx context.Context, tenant string, subs []store.TenantSubscription,
) error {
	ids := make([]string, len(subs))
	for i := range subs {
		ids[i] = subs[i].ID
	}
	return sqltx.Retry(func() error {
		return t.DB.WriteAfter(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			// An error of what reads the rows ends the transaction.
			b.Queue(t.SQL.TakenIDs, tenant, ids).Query(func(rows pgx.Rows) error {
				taken, err := pgx.CollectRows(rows, pgx.RowTo[string])
				if err == nil && len(taken) > 0 {
					err = fmt.Errorf("subscription %s: %w", taken[0], store.ErrConflict)
				}
				return err
			})
		}, func(b *sqltx.Batch) {
			for i := range subs {
				b.Queue(t.SQL.ImportSubscription, record.Whole(&subs[i].Subscription, &subs[i].Health)...)
			}
		})
	})
}

// importEvents stores events with their deliveries, in one transaction. What it needs to know comes
// first: numbers that are above those of all events, and the subscriptions' numbers.
func (t *Tenants) importEvents(
	ctx context.Context, tenant string, evs []store.TenantEvent,
) error {
	ids, tenants := make([]string, len(evs)), make([]string, len(evs))
	for i := range evs {
		ids[i], tenants[i] = evs[i].Event.ID, tenant
	}
	return sqltx.Retry(func() error {
		var seqs []int64
		var id string
		var num int64
		nums := make(map[string]int64)
		return t.DB.WriteAfter(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(t.SQL.NumsOfIDs, tenant, recipients(evs)).
				Query(sqltx.Each([]any{&id, &num}, func() { nums[id] = num }))
			b.Queue(t.SQL.ForgetEvents, tenants, ids, true)
			t.QueueTimes(b) // before the numbers are drawn, until their events are stored
			b.Queue(t.SQL.Reserve, len(evs), t.Schema.Table("events")).
				Query(sqltx.Into(&seqs, pgx.RowTo[int64]))
		}, func(b *sqltx.Batch) {
			var r rows
			var keys replica.Keys
			for i := range evs {
				r.add(seqs[i], tenant, &evs[i], nums, &keys, time.Unix(0, t.Clock.Now()))
			}
			b.Queue(t.SQL.ImportTenant, r.args()...)
			// Memory learns of what is behind by the notices, which come with the same commit.
			var behind []memory.Change
			t.QueueHoldBack(b, &keys, &behind)
		})
	})
}

// recipients returns the subscriptions that deliveries name, each once.
func recipients(evs []store.TenantEvent) (ids []string) {
	seen := make(map[string]bool)
	for i := range evs {
		for j := range evs[i].Deliveries {
			if id := evs[i].Deliveries[j].SubscriptionID; !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}
