// Package quota holds tenants to what they may use.
//
// A [Keeper] asks the host what a tenant may use, compares that with what the store has and with
// the rates of this process, and refuses a call before it changes anything. It holds nothing that
// others wait for while it calls the host. Calls that run at the same time do not see each other,
// so a quota can be exceeded by what such calls add.
package quota

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/rates"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// The kinds of quotas.
const (
	Subscriptions     = "subscriptions"
	SubscriptionBytes = "subscription_bytes"
	Pending           = "pending"
	Pings             = "pings"
	Replays           = "replays"
	SubscriptionPings = "subscription_pings"
	HostProofs        = "host_proofs"
	Polls             = "polls"
)

// Limits are what a tenant may use. What has no limit is negative.
type Limits struct {
	Subscriptions     int
	SubscriptionBytes int
	Pending           int
	PingsPerMinute    int
	ReplaysPerMinute  int
}

// Or returns l with the fields of d where l has zero.
func (l Limits) Or(d Limits) Limits {
	return Limits{
		cmp.Or(l.Subscriptions, d.Subscriptions),
		cmp.Or(l.SubscriptionBytes, d.SubscriptionBytes),
		cmp.Or(l.Pending, d.Pending),
		cmp.Or(l.PingsPerMinute, d.PingsPerMinute),
		cmp.Or(l.ReplaysPerMinute, d.ReplaysPerMinute),
	}
}

// Refusal makes the error of a call that would exceed a quota. The call is allowed again after
// retryAfter; of a rate, limit is for a minute.
type Refusal func(tenant, kind string, limit int, retryAfter time.Duration) error

// Describe says in words what a quota is of, and what to do when it is used up.
func Describe(kind string, retryAfter time.Duration) (what, remedy string) {
	remedy = fmt.Sprintf("try again in %v", retryAfter.Round(time.Millisecond))
	what = kind
	switch kind {
	case Subscriptions:
		what, remedy = "subscriptions", "delete some, or raise the quota"
	case SubscriptionBytes:
		what = "bytes for a subscription's parameters"
		remedy = "use fewer or shorter headers and events"
	case Pending:
		what, remedy = "pending deliveries", "publish again when some have ended"
	case Pings:
		what = "pings a minute"
	case Replays:
		what = "redeliveries and replays a minute"
	case SubscriptionPings:
		what = "pings of one subscription a minute"
	case HostProofs:
		what = "requests for proof to one host a minute"
	case Polls:
		what = "polls at once"
	}
	return what, remedy
}

// unknownRetry is the RetryAfter of a quota that time alone does not free.
const unknownRetry = time.Minute

// Keeper holds tenants to their quotas. Make one with New. It is safe for concurrent use.
type Keeper struct {
	limits func(tenant string) (Limits, error)
	same   bool // for all tenants
	store  store.Store
	refuse Refusal
	rates  *rates.Limiter
}

// New returns a Keeper of the tenants in s. limits may block; if same, it returns the same for all
// tenants, and sets no limit to what may be pending.
func New(
	s store.Store, same bool, limits func(tenant string) (Limits, error), refuse Refusal,
) *Keeper {
	return &Keeper{limits: limits, same: same, store: s, refuse: refuse, rates: rates.New()}
}

// CheckRoom refuses if the tenant may not have one more subscription.
func (k *Keeper) CheckRoom(ctx context.Context, q *Limits, tenant string) error {
	if q.Subscriptions < 0 {
		return nil
	}
	page, err := k.store.Subscriptions(ctx, store.SubscriptionQuery{Tenant: tenant, Limit: 1})
	if err == nil && page.Total >= q.Subscriptions {
		err = k.refuse(tenant, Subscriptions, q.Subscriptions, unknownRetry)
	}
	return err
}

// CheckSize refuses if sub is larger than its tenant may make it, and larger than was.
func (k *Keeper) CheckSize(q *Limits, sub, was *store.Subscription) error {
	if n := size(sub); q.SubscriptionBytes < 0 || n <= q.SubscriptionBytes || n <= size(was) {
		return nil
	}
	return k.refuse(sub.Tenant, SubscriptionBytes, q.SubscriptionBytes, unknownRetry)
}

// size returns how many bytes the parameters of a subscription have.
func size(sub *store.Subscription) int {
	n := len(sub.URL) + len(sub.Name) + len(sub.Description) + len(sub.Filter)
	for _, texts := range [...][]string{sub.Events, sub.Fields} {
		for _, text := range texts {
			n += len(text)
		}
	}
	for _, pairs := range [...]map[string]string{sub.Headers, sub.Metadata} {
		for name, value := range pairs {
			n += len(name) + len(value)
		}
	}
	for _, key := range sub.Secrets {
		n += len(key)
	}
	return n
}

// CheckPending refuses if a tenant of the events has too much pending already. It counts by the
// transaction that publishes them: in one of the host's, the store itself might wait for it. If all
// tenants have the same limits it costs nothing, as there is no default.
func (k *Keeper) CheckPending(ctx context.Context, tx store.Tx, evs []events.Event) error {
	if k.same {
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
		q, err := k.limits(tenant)
		if err != nil {
			return err
		}
		if q.Pending < 0 {
			continue
		}
		n, err := tx.CountPending(ctx, tenant, q.Pending)
		if err != nil {
			return err
		}
		if n >= q.Pending {
			return k.refuse(tenant, Pending, q.Pending, unknownRetry)
		}
	}
	return nil
}

// Of returns what a tenant may use.
func (k *Keeper) Of(tenant string) (Limits, error) { return k.limits(tenant) }

// OfSubscription returns what the tenant of a subscription may use. It is asked for before the
// transaction of a change, and not in it, because it may block. The tenant is that of the ID for as
// long as the subscription exists.
func (k *Keeper) OfSubscription(ctx context.Context, id string) (Limits, error) {
	if k.same {
		return k.limits("")
	}
	sub, err := k.store.Subscription(ctx, id)
	if err != nil {
		return Limits{}, err
	}
	return k.limits(sub.Tenant)
}

// AllowReplay refuses if a tenant has used up its replays of a minute.
func (k *Keeper) AllowReplay(tenant string) error {
	q, err := k.limits(tenant)
	if err != nil {
		return err
	}
	return k.take(tenant, rateOf(Replays, tenant, q.ReplaysPerMinute))
}

// pingBurst is how many pings one subscription may get at once. On average it gets one a second.
const pingBurst = 5

// AllowPing refuses if no ping of a subscription may be sent now.
func (k *Keeper) AllowPing(sub *store.Subscription) error { return k.allowPing(sub) }

func (k *Keeper) allowPing(sub *store.Subscription, more ...rates.Rate) error {
	q, err := k.limits(sub.Tenant)
	if err != nil {
		return err
	}
	own := rateOf(SubscriptionPings, sub.ID, 60)
	own.Burst = pingBurst
	return k.take(sub.Tenant,
		append(more, rateOf(Pings, sub.Tenant, q.PingsPerMinute), own)...)
}

// proofsPerMinute is how often a minute one host may be asked for proof, of all tenants together.
const proofsPerMinute = 30

// AllowProof is AllowPing for a request for proof: nobody has agreed to it, so its host has a bound
// of all tenants together too.
func (k *Keeper) AllowProof(sub *store.Subscription, host string) error {
	return k.allowPing(sub, rateOf(HostProofs, host, proofsPerMinute))
}

// rateOf returns a rate that can be used up at once.
func rateOf(kind, of string, perMinute int) rates.Rate {
	return rates.Rate{
		Key: rates.Key{Kind: kind, Of: of}, PerMinute: perMinute, Burst: perMinute,
	}
}

// take uses each of the rates once, or none and refuses.
func (k *Keeper) take(tenant string, all ...rates.Rate) error {
	i, wait := k.rates.Take(all...)
	if i < 0 {
		return nil
	}
	return k.refuse(tenant, all[i].Key.Kind, all[i].PerMinute, wait)
}
