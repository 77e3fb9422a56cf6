package engine

import (
	"log/slog"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// Policy is how the deliveries of one subscription are attempted. It is for reading only once it
// has been given to an Engine. All fields must be set but for those that say so.
type Policy struct {
	Send send.Policy // how an attempt is made

	MaxAttempts int // after which a delivery is dead

	// RetryDelay is how long to wait after the n-th failed attempt, n ≥ 1.
	RetryDelay func(n int) time.Duration

	Rate  float64 // attempts that may start in a second on average; if zero, no limit
	Burst int     // and at once; if zero, one

	PerSubscription int // attempts at once
}

const (
	// policyAge is how long an answer is used of a subscription that does not change. The host may
	// mean something else by then, because of what it keeps elsewhere.
	policyAge = 10 * time.Second

	// limitFor is how long the store keeps to a limit of one subscription. It is told again with
	// each answer, so a limit outlives the last claim by no more than this.
	limitFor = time.Minute

	minPolicies = 1024 // so many are kept before old ones are looked for
)

// policies are those of the subscriptions that have had claims lately. They belong to claimLoop
// alone.
type policies struct {
	asker *asker
	all   int // Config.PerSubscription

	kept    map[string]keptPolicy // by subscription
	sweepAt int                   // how many there are when old ones are looked for
}

// keptPolicy is an answer.
type keptPolicy struct {
	*Policy
	updatedAt time.Time // of the subscription that it is about
	askedAt   time.Time
	limited   bool // the store has been told a limit of this subscription
}

// newPolicies returns nil if all subscriptions have the policy of the Config. At most maxCalls
// calls of policy run at once.
func newPolicies(
	policy func(store.Subscription) (*Policy, error), all, maxCalls int, log *slog.Logger,
) *policies {
	if policy == nil {
		return nil
	}
	return &policies{
		asker:   newAsker(policy, maxCalls, log),
		all:     all,
		kept:    make(map[string]keptPolicy),
		sweepAt: minPolicies,
	}
}

// of returns the policy of a subscription; if it is not known yet, how long to wait. It may block
// for some milliseconds; see asker. tell is what the store is to be told of how many may be leased
// at once; zero if nothing.
func (ps *policies) of(sub *store.Subscription, now time.Time) (
	p *Policy, tell int, wait time.Duration,
) {
	kept, ok := ps.kept[sub.ID]
	if ok && kept.updatedAt.Equal(sub.UpdatedAt) && now.Sub(kept.askedAt) < policyAge {
		return kept.Policy, 0, 0
	}
	answer, again := ps.asker.ask(sub, now)
	if answer != nil && !answer.updatedAt.Equal(sub.UpdatedAt) { // it is about what it was before
		answer, again = ps.asker.ask(sub, now)
	}
	switch {
	case answer == nil:
		return nil, 0, again
	case answer.policy == nil:
		return nil, 0, storeRetryMax // the function will most likely fail again
	}
	if !ok {
		ps.sweep(now)
	}
	next := keptPolicy{Policy: answer.policy, updatedAt: answer.updatedAt, askedAt: answer.at}
	// Told again each time, as it ends by itself; and once more when it is that of all, so that
	// this need not wait for the end.
	next.limited = next.PerSubscription != ps.all
	if next.limited || kept.limited {
		tell = next.PerSubscription
	}
	ps.kept[sub.ID] = next
	return next.Policy, tell, 0
}

// sweep forgets old answers once there are twice as many as it left the last time: so each new one
// pays for a bounded part of a sweep.
func (ps *policies) sweep(now time.Time) {
	if len(ps.kept) < ps.sweepAt {
		return
	}
	for id, kept := range ps.kept {
		if now.Sub(kept.askedAt) >= policyAge {
			delete(ps.kept, id)
		}
	}
	ps.sweepAt = max(2*len(ps.kept), minPolicies)
}
