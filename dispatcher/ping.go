package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// TypePing is the type of the event that Ping sends.
const TypePing = "webhook.ping"

// maxPings is how many pings of one tenant are under way at once.
const maxPings = 4

// Ping posts an event of type TypePing, signed, to a subscription, now and by the path that
// deliveries take, and returns the attempt. Its payload is {"id":"<the subscription's ID>"}. It is
// not queued or retried, is in no history, and goes to an unsubscribed subscription too. But when
// it succeeds, failures and holds of the subscription end, its breaker closes, and what waits for a
// retry is due at once, so that the owner of a repaired endpoint need not wait. Options.Transform
// and Options.Sign apply to it; Options.Filter, Options.RateLimit and the breaker do not. Run need
// not be running. Observer.OnPing, Stats and the log tell of it.
//
// It takes no slot of Concurrency. Of each tenant, at most four pings are under way at once, or
// PerSubscription if that is less; others of that tenant wait. Ping returns a *QuotaError and sends
// nothing beyond Quota.PingsPerMinute, and beyond one ping a second to one subscription, on
// average, with five at once.
//
// It returns store.ErrSealed if the subscription's headers and secrets don't open. Any other error
// is the store's, or the context's; what went wrong with the attempt is in
// Attempt.Error.
func (d *Dispatcher) Ping(ctx context.Context, id string) (store.Attempt, error) {
	sub, err := d.Subscription(ctx, id)
	if err != nil {
		return store.Attempt{}, err
	}
	if sub.SealedWith != "" {
		return store.Attempt{}, send.SealedError(&sub)
	}
	claim, err := pingOf(sub)
	if err != nil {
		return store.Attempt{}, fmt.Errorf("dispatcher: ping: %w", err)
	}
	if err := d.quotas.allowPing(&sub); err != nil {
		return store.Attempt{}, err
	}
	leave, err := d.pings.enter(ctx, sub.Tenant)
	if err != nil {
		return store.Attempt{}, err
	}
	defer leave()
	a := d.sender.Send(ctx, claim, "")
	d.pings.sent.Add(1)
	d.logPing(claim, &a.Attempt)
	d.observe.pinged(claim, &a.Attempt)
	err = ctx.Err()
	if a.Attempt.Error == "" {
		d.engine.Reached(&a)
		err = d.recovered(ctx, sub.ID)
	}
	return a.Attempt, err
}

// pingOf returns what is sent as a ping, as if it had been claimed.
func pingOf(sub store.Subscription) (*store.Claim, error) {
	e, err := events.New(TypePing, map[string]string{"id": sub.ID})
	if err != nil {
		return nil, err
	}
	body, err := e.Body()
	return &store.Claim{
		Lease:        store.Lease{SubscriptionID: sub.ID, EventID: e.ID},
		Subscription: &sub,
		Health:       new(store.Health), // what was learned of the endpoint is not the ping's concern
		EventType:    e.Type,
		Tenant:       sub.Tenant,
		EventTime:    e.Time,
		Body:         body,
		Attempt:      1,
	}, err
}

// logPing logs a ping at Debug, failed or not: its owner has seen the answer.
func (d *Dispatcher) logPing(c *store.Claim, a *store.Attempt) {
	d.o.Logger.LogAttrs(context.Background(), slog.LevelDebug, "outhook: ping sent",
		append(send.Attrs(c), send.ResultAttrs(a)...)...)
}

// recovered ends what an endpoint's failures have left, as it has answered: its holds, and the
// waits of what is to be tried again. Most have nothing to end; then the call costs one read.
func (d *Dispatcher) recovered(ctx context.Context, id string) error {
	stats, err := d.store.Stats(ctx, id)
	if err != nil {
		return err
	}
	if h := stats.Health.Recovered(); h != stats.Health {
		if err := d.store.Recovered(ctx, id); err != nil {
			return err
		}
	}
	if stats.Pending == 0 || stats.Health.LastFailureAt.IsZero() {
		return nil
	}
	_, err = d.Replay(ctx, store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: id, States: []store.State{store.Pending},
	})
	return err
}

// pings bounds how many pings of each tenant are under way, so that the slow endpoints of one keep
// no other waiting.
type pings struct {
	max  int64         // of one tenant
	sent atomic.Uint64 // all that were

	mu sync.Mutex
	of map[string]*tenantPings // those with a ping under way or waiting
}

type tenantPings struct {
	slots *semaphore.Weighted
	users int // pings under way or waiting
}

func newPings(max int) *pings { return &pings{max: int64(max), of: make(map[string]*tenantPings)} }

// enter waits until a ping of the tenant may start. When it is over, leave is to be called.
func (p *pings) enter(ctx context.Context, tenant string) (leave func(), err error) {
	t := p.join(tenant)
	if err := t.slots.Acquire(ctx, 1); err != nil {
		p.part(tenant)
		return nil, err
	}
	return func() {
		t.slots.Release(1)
		p.part(tenant)
	}, nil
}

func (p *pings) join(tenant string) *tenantPings {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.of[tenant]
	if t == nil {
		t = &tenantPings{slots: semaphore.NewWeighted(p.max)}
		p.of[tenant] = t
	}
	t.users++
	return t
}

// part forgets the tenant when nobody pings for it any more.
func (p *pings) part(tenant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.of[tenant]; t.users > 1 {
		t.users--
	} else {
		delete(p.of, tenant)
	}
}
