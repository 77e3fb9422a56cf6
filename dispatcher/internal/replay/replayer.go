package replay

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/quota"
	"github.com/outhook/outhook/store"
)

// Replayer replays for the host: it checks what is asked for, holds tenants to their quotas, and
// tells what was done. All fields must be set. It is safe for concurrent use.
type Replayer struct {
	Store  store.Store
	Quotas *quota.Keeper

	// Subscription returns a subscription by its ID in any spelling.
	Subscription func(ctx context.Context, id string) (store.Subscription, error)

	Acted func(context.Context, actor.Action)
}

// Redeliver makes one delivery pending again.
func (r *Replayer) Redeliver(ctx context.Context, subscriptionID, eventID string) error {
	sub, err := r.Subscription(ctx, subscriptionID)
	if err != nil {
		return err
	}
	if _, err := r.Store.Attempts(ctx, sub.ID, eventID); err != nil {
		return err
	}
	if err := check.Collects(&sub); err != nil {
		return fmt.Errorf("dispatcher: redeliver: %w", err)
	}
	if err := r.Quotas.AllowReplay(sub.Tenant); err != nil {
		return err
	}
	_, err = Step(ctx, r.Store, store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: sub.ID, EventID: eventID, States: store.States(),
	})
	if err == nil {
		r.Acted(ctx, actor.Action{
			Kind: actor.Redeliver, Tenant: sub.Tenant, SubscriptionID: sub.ID, EventID: eventID,
		})
	}
	return err
}

// Replay makes all that a query matches pending again, and returns how many deliveries.
func (r *Replayer) Replay(ctx context.Context, q store.DeliveryQuery) (int, error) {
	if err := check.ReplayQuery(&q); err != nil {
		return 0, err
	}
	if err := r.allow(&q); err != nil {
		return 0, err
	}
	n, err := All(ctx, r.Store, q)
	if n > 0 || err == nil {
		r.acted(ctx, &q, n)
	}
	return n, err
}

// Count returns how many deliveries Replay would make pending.
func (r *Replayer) Count(ctx context.Context, q store.DeliveryQuery) (int, error) {
	if err := check.ReplayQuery(&q); err != nil {
		return 0, err
	}
	return Count(ctx, r.Store, q)
}

// MaxStep is how many deliveries a step of the caller's takes at most.
const MaxStep = 1000

// Step takes one step of a replay that its caller drives, and returns how many deliveries it has
// made pending, and the cursor of the next step; empty after the last.
func (r *Replayer) Step(
	ctx context.Context, q store.DeliveryQuery,
) (replayed int, next string, err error) {
	if err := ReadCursor(&q); err != nil {
		return 0, "", err
	}
	if err := check.ReplayStepQuery(&q); err != nil {
		return 0, "", err
	}
	if err := r.allow(&q); err != nil {
		return 0, "", err
	}
	q = Prepare(q, min(q.Limit, MaxStep))
	step, err := Step(ctx, r.Store, q)
	if step.Requeued > 0 {
		r.acted(ctx, &q, step.Requeued)
	}
	if step.Next != "" {
		next = Cursor(q.Until, step.Next)
	}
	return step.Requeued, next, err
}

// allow refuses a replay beyond the quota of its tenant. One of all tenants is the host's own.
func (r *Replayer) allow(q *store.DeliveryQuery) error {
	if q.AnyTenant {
		return nil
	}
	return r.Quotas.AllowReplay(q.Tenant)
}

func (r *Replayer) acted(ctx context.Context, q *store.DeliveryQuery, n int) {
	r.Acted(ctx, actor.Action{
		Kind: actor.Replay, Tenant: q.Tenant, SubscriptionID: q.SubscriptionID, EventID: q.EventID,
		Count: n,
	})
}
