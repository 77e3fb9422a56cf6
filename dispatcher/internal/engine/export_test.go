package engine

import (
	"log/slog"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// Limiter is policies and a limiter without a Run.
type Limiter struct {
	ps *policies
	l  *limiter
}

// AllAtOnce is the PerSubscription of all.
const AllAtOnce = 16

func NewLimiter(
	policy func(store.Subscription) (*Policy, error), log *slog.Logger,
) Limiter {
	return Limiter{newPolicies(policy, AllAtOnce, 64, log), newLimiter()}
}

// Take takes a token, or says how long to wait.
func (l Limiter) Take(id string, now time.Time) time.Duration {
	wait, _ := l.TakeOf(&store.Subscription{ID: id}, now)
	return wait
}

// TakeOf is Take for a subscription, and returns what the store is to be told of its limit.
func (l Limiter) TakeOf(sub *store.Subscription, now time.Time) (wait time.Duration, tell int) {
	p, tell, wait := l.ps.of(sub, now)
	if p == nil {
		return wait, tell
	}
	return l.l.take(sub.ID, p, now), tell
}

// Calls is how many calls it keeps something of.
func (l Limiter) Calls() int { return len(l.ps.asker.open) }

// Len is how many subscriptions it has buckets of, Policies how many it keeps the policy of.
func (l Limiter) Len() int      { return len(l.l.buckets) }
func (l Limiter) Policies() int { return len(l.ps.kept) }

// Tickets are tickets without a Run.
type (
	Tickets struct{ t *tickets }
	Ticket  struct{ k *ticket }
)

func NewTickets(max int) Tickets { return Tickets{newTickets(max)} }

func (t Tickets) Free() int            { return t.t.free() }
func (t Tickets) Begin() uint64        { return t.t.begin() }
func (t Tickets) Admit(k Ticket) bool  { return t.t.admit(k.k) }
func (t Tickets) AttemptDone(k Ticket) { t.t.attemptDone(k.k) }
func (t Tickets) Close(k Ticket)       { t.t.close(k.k) }
func (t Tickets) Invalidate(of Subject) {
	t.t.invalidate(of)
}
func (t Tickets) Crowded(subscriptionID string, max int) bool {
	return t.t.crowded(subscriptionID, max)
}

func (t Tickets) Issue(epoch uint64, claims ...store.Claim) (out []Ticket) {
	var of []*ticket
	for _, c := range claims {
		k := &ticket{claim: c, epoch: epoch}
		of, out = append(of, k), append(out, Ticket{k})
	}
	t.t.issue(of)
	return out
}

// Remembered is how many changes the fence remembers.
func (t Tickets) Remembered() int { return len(t.t.fence.invalidated) }

// Woken reports whether claimLoop would look again, and takes that.
func (t Tickets) Woken() bool {
	select {
	case <-t.t.freed:
		return true
	default:
		return false
	}
}

// OutcomeOf decides what follows from an attempt by the default policy.
func (e *Engine) OutcomeOf(c *store.Claim, r *send.Result) store.Outcome {
	return e.outcomeOf(c, e.Defaults, r)
}
