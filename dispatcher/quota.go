package dispatcher

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/notify"
	"github.com/outhook/outhook/dispatcher/internal/quota"
)

// The defaults of Quota.
const (
	DefaultSubscriptions    = 1000
	DefaultPingsPerMinute   = 60
	DefaultReplaysPerMinute = 60
)

// Unlimited is the value of a field of Quota that sets no limit. Any negative value does.
const Unlimited = -1

// Quota is what one tenant may use; see Options.Quota. Of each field, zero is the default and a
// negative value, such as Unlimited, is no limit.
//
// Each Dispatcher counts rates for itself, so three replicas allow three times as much. What a
// minute allows can be used all at once. The other quotas are checked before a call changes
// anything, and calls that run at the same time do not see each other: a quota can be exceeded by
// what such calls add, and no more.
type Quota struct {
	// Subscriptions is how many subscriptions the tenant may have, subscribed or not. At that number
	// Subscribe makes no more; those that exist can still be changed and replaced. If zero,
	// DefaultSubscriptions.
	Subscriptions int

	// SubscriptionBytes is how many bytes the parameters of one subscription may have together: its
	// URL, name, events, headers (names and values) and keys. A change that leaves a subscription
	// no larger than it was is always allowed. If zero, no limit but those of each parameter, which
	// add up to about 180,000 bytes.
	SubscriptionBytes int

	// Pending is how many deliveries of the tenant may be pending, those under way included.
	// Publish and PublishTx store nothing while there are so many or more. One call can go past it,
	// by what its own events add, and so can several in one transaction. If zero, no limit.
	Pending int

	// PingsPerMinute is how many calls of Ping the tenant's subscriptions may get in a minute. If
	// zero, DefaultPingsPerMinute.
	PingsPerMinute int

	// ReplaysPerMinute is how many calls of Redeliver and Replay the tenant may make in a minute. A
	// Replay counts as one, however much it takes; one over all tenants has no limit. If zero,
	// DefaultReplaysPerMinute.
	ReplaysPerMinute int
}

// QuotaKind says which quota a QuotaError is about.
type QuotaKind string

const (
	QuotaSubscriptions     QuotaKind = quota.Subscriptions     // Quota.Subscriptions
	QuotaSubscriptionBytes QuotaKind = quota.SubscriptionBytes // Quota.SubscriptionBytes
	QuotaPending           QuotaKind = quota.Pending           // Quota.Pending
	QuotaPings             QuotaKind = quota.Pings             // Quota.PingsPerMinute
	QuotaReplays           QuotaKind = quota.Replays           // Quota.ReplaysPerMinute

	// QuotaSubscriptionPings is the bound of pings to one subscription, which is the same for all:
	// one a second on average, and five at once.
	QuotaSubscriptionPings QuotaKind = quota.SubscriptionPings

	// QuotaHostProofs is the bound of requests by Verify to one host: 30 a minute.
	QuotaHostProofs QuotaKind = quota.HostProofs

	QuotaPolls QuotaKind = quota.Polls // MaxPolls
)

// QuotaError says that a call would exceed a quota of a tenant. Nothing was changed. Subscribe,
// Update, RotateSecret, Publish, PublishTx, Ping, Redeliver and Replay return it; find it by
// errors.As.
type QuotaError struct {
	Tenant string
	Kind   QuotaKind
	Limit  int // what the quota allows; for a rate, in a minute

	// RetryAfter is when the same call is allowed again, if it is about a rate and no other call
	// comes first. For the other quotas it is a minute, as nobody knows when there is room. It is
	// always positive.
	RetryAfter time.Duration
}

// Error names the tenant, the quota and what to do.
func (e *QuotaError) Error() string {
	what, remedy := quota.Describe(string(e.Kind), e.RetryAfter)
	return fmt.Sprintf("dispatcher: tenant %q has used up its quota of %d %s; %s",
		e.Tenant, e.Limit, what, remedy)
}

// newQuotaError is the quota.Refusal of a Dispatcher.
func newQuotaError(tenant, kind string, limit int, retryAfter time.Duration) error {
	return &QuotaError{tenant, QuotaKind(kind), limit, retryAfter}
}

// limitsOf returns what a tenant may use. It calls the host's function, so the caller must hold
// nothing that others wait for.
func limitsOf(of func(string) Quota, queue *notify.Queue, tenant string) (quota.Limits, error) {
	var q Quota
	if of != nil {
		var ok bool
		if q, ok = notify.Ask(queue, "Options.Quota", func() Quota { return of(tenant) }); !ok {
			return quota.Limits{}, fmt.Errorf(
				"dispatcher: Options.Quota panicked for the tenant %q; see the log", tenant)
		}
	}
	return quota.Limits(q).Or(quota.Limits{
		Subscriptions: DefaultSubscriptions, SubscriptionBytes: Unlimited, Pending: Unlimited,
		PingsPerMinute: DefaultPingsPerMinute, ReplaysPerMinute: DefaultReplaysPerMinute,
	}), nil
}
