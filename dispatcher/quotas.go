package dispatcher

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/dispatcher/internal/rates"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// quotas holds tenants to their quotas.
type quotas struct {
	ask     func(tenant string) Quota // Options.Quota
	protect func(what string, f func())
	store   store.Store
	rates   *rates.Limiter
}

// of returns the quota of a tenant with its defaults; what has no limit is negative. It calls the
// host's function, so the caller must hold nothing that others wait for.
func (t *quotas) of(tenant string) (q Quota, err error) {
	if t.ask != nil {
		var answer struct {
			Quota
			given bool
		}
		t.protect("Options.Quota", func() { answer.Quota, answer.given = t.ask(tenant), true })
		if q = answer.Quota; !answer.given {
			err = fmt.Errorf("dispatcher: Options.Quota panicked for the tenant %q; see the log", tenant)
		}
	}
	setDefault(&q.Subscriptions, DefaultSubscriptions)
	setDefault(&q.SubscriptionBytes, Unlimited)
	setDefault(&q.Pending, Unlimited)
	setDefault(&q.PingsPerMinute, DefaultPingsPerMinute)
	setDefault(&q.ReplaysPerMinute, DefaultReplaysPerMinute)
	return q, err
}

// checkRoom returns a *QuotaError if the tenant may not have one more subscription.
func (t *quotas) checkRoom(ctx context.Context, q *Quota, tenant string) error {
	if q.Subscriptions < 0 {
		return nil
	}
	page, err := t.store.Subscriptions(ctx, store.SubscriptionQuery{Tenant: tenant, Limit: 1})
	if err == nil && page.Total >= q.Subscriptions {
		err = &QuotaError{tenant, QuotaSubscriptions, q.Subscriptions, unknownRetry}
	}
	return err
}

// checkSize returns a *QuotaError if sub is larger than its tenant may make it, and larger than
// was.
func (q *Quota) checkSize(sub, was *store.Subscription) error {
	if n := size(sub); q.SubscriptionBytes < 0 || n <= q.SubscriptionBytes || n <= size(was) {
		return nil
	}
	return &QuotaError{sub.Tenant, QuotaSubscriptionBytes, q.SubscriptionBytes, unknownRetry}
}

// size returns how many bytes the parameters of a subscription have.
func size(sub *store.Subscription) int {
	n := len(sub.URL) + len(sub.Name)
	for _, pattern := range sub.Events {
		n += len(pattern)
	}
	for name, value := range sub.Headers {
		n += len(name) + len(value)
	}
	for _, key := range sub.Secrets {
		n += len(key)
	}
	return n
}

// checkPending returns a *QuotaError if a tenant of the events has too much pending already.
// Without Options.Quota it costs nothing, as there is no default.
func (t *quotas) checkPending(ctx context.Context, evs []events.Event) error {
	if t.ask == nil {
		return nil
	}
	var checked map[string]bool // when there are several events
	for i := range evs {
		tenant := evs[i].Tenant
		if checked[tenant] {
			continue
		}
		if len(evs) > 1 {
			if checked == nil {
				checked = make(map[string]bool)
			}
			checked[tenant] = true
		}
		q, err := t.of(tenant)
		if err != nil {
			return err
		}
		if q.Pending < 0 {
			continue
		}
		n, err := t.store.CountPending(ctx, tenant, q.Pending)
		if err != nil {
			return err
		}
		if n >= q.Pending {
			return &QuotaError{tenant, QuotaPending, q.Pending, unknownRetry}
		}
	}
	return nil
}

// allowReplay returns a *QuotaError if a tenant has used up its replays of a minute.
func (t *quotas) allowReplay(tenant string) error {
	q, err := t.of(tenant)
	if err != nil {
		return err
	}
	return t.take(tenant, rateOf(QuotaReplays, tenant, q.ReplaysPerMinute))
}

// pingBurst is how many pings one subscription may get at once. On average it gets one a second.
const pingBurst = 5

// allowPing returns a *QuotaError if no ping of a subscription may be sent now.
func (t *quotas) allowPing(sub *store.Subscription) error {
	q, err := t.of(sub.Tenant)
	if err != nil {
		return err
	}
	own := rateOf(QuotaSubscriptionPings, sub.ID, 60)
	own.Burst = pingBurst
	return t.take(sub.Tenant, rateOf(QuotaPings, sub.Tenant, q.PingsPerMinute), own)
}

// rateOf returns a rate that can be used up at once.
func rateOf(kind QuotaKind, of string, perMinute int) rates.Rate {
	return rates.Rate{
		Key: rates.Key{Kind: string(kind), Of: of}, PerMinute: perMinute, Burst: perMinute,
	}
}

// take uses each of the rates once, or none and returns a *QuotaError.
func (t *quotas) take(tenant string, all ...rates.Rate) error {
	i, wait := t.rates.Take(all...)
	if i < 0 {
		return nil
	}
	return &QuotaError{tenant, QuotaKind(all[i].Key.Kind), all[i].PerMinute, wait}
}
