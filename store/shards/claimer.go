package shards

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/store"
)

const (
	// patience is how long a Claim waits for a shard that was quick until now. Once it has waited
	// in vain it does not wait for that shard again, until the shard has been quick.
	patience = 5 * time.Millisecond

	// lateShare is the part of a lease, 1 in so many, that may have passed when a claim is handed
	// out.
	lateShare = 8

	// hangs is after how long a call that has not returned counts as trouble.
	hangs = 10 * time.Second

	retryFirst = 50 * time.Millisecond // after a shard's first failure
	retryMax   = 5 * time.Second
)

// claimer is the claims of one shard. It belongs to the Claim that holds Store.claiming, but for
// what has its own guard.
type claimer struct {
	call    *claimCall // that has not been answered yet; nil if none is under way
	isSlow  bool       // the last call took longer than patience
	held    []heldClaims
	leased  store.Leased // as the shard said last
	granted store.Leased // what more it may lease in the call that is under way
	nextDue time.Time    // when something falls due, as the shard said last; zero if nothing does

	failed  error         // of the last call
	retryAt time.Time     // when the shard is asked again after it
	delay   time.Duration // until then
	told    bool          // that the call hangs

	idle idleness // that it had nothing for a Claim, and when that was

	pauses []store.Pause // that the shard has not been told yet

	mu      sync.Mutex          // guards below
	pending bool                // there is a call under way, or claims are held
	changes map[string]struct{} // subscriptions that have changed since; "" is all
}

// idleness says that a shard had nothing for a request. That holds until Ready or NextDue says
// otherwise, for requests that allow no more.
type idleness struct {
	is     bool
	limits limits
}

// limits are what a request allows of what may be leased at once.
type limits struct {
	perSubscription, perTenant, perHost        int
	maxUnhealthy, maxFailing, breakerThreshold int
}

func limitsOf(req *store.ClaimRequest) limits {
	return limits{
		req.PerSubscription, req.PerTenant, req.PerHost,
		req.MaxUnhealthy, req.MaxFailing, req.BreakerThreshold,
	}
}

// cover reports whether o allows nothing that l does not. A probe may take what is not due yet, so
// the threshold must be the same.
func (l limits) cover(o limits) bool {
	within := func(limit, other int) bool { return limit == 0 || other != 0 && other <= limit }
	return within(l.perSubscription, o.perSubscription) && within(l.perTenant, o.perTenant) &&
		within(l.perHost, o.perHost) && within(l.maxUnhealthy, o.maxUnhealthy) &&
		within(l.maxFailing, o.maxFailing) && l.breakerThreshold == o.breakerThreshold
}

// hasNothing reports whether it is known without asking that the shard has nothing for a request.
func (sh *shard) hasNothing(req *store.ClaimRequest) bool {
	c := &sh.claims
	return c.idle.is && len(c.pauses) == 0 && c.failed == nil && !sh.hasStirred() &&
		(c.nextDue.IsZero() || time.Now().Before(c.nextDue)) && c.idle.limits.cover(limitsOf(req))
}

// heldClaims came too late for the Claim that asked for them.
type heldClaims struct {
	claims []store.Claim
	until  time.Time // when they must be handed out
}

// claimCall is a call of a shard's Claim that is under way.
type claimCall struct {
	began     time.Time
	req       store.ClaimRequest
	abandoned atomic.Bool // nobody waits: Ready is to be told of the answer
	answer    chan claimAnswer
}

type claimAnswer struct {
	result store.ClaimResult
	err    error
	took   time.Duration
}

// ask begins a call of the shard.
func (s *Store) ask(sh *shard, req store.ClaimRequest) {
	c := &sh.claims
	if c.isSlow { // what it yields will come late
		req.Lease = min(2*req.Lease, store.MaxDuration)
	}
	req.Pauses, c.pauses = c.pauses, nil
	sh.stirred.Store(false) // before the call: what comes while it runs may not be in the answer
	c.idle = idleness{}
	call := &claimCall{began: time.Now(), req: req, answer: make(chan claimAnswer, 1)}
	c.mu.Lock()
	c.pending = true
	c.mu.Unlock()
	c.call, c.told = call, false
	started := s.start(func() {
		result, err := guard(func() (store.ClaimResult, error) { return sh.Claim(s.life, req) })
		if err != nil {
			result.Claims = nil
		}
		call.answer <- claimAnswer{result, err, time.Since(call.began)}
		// In this order: either we see that nobody waits, or anybody who stops waiting sees the answer.
		if call.abandoned.Load() {
			s.wake()
		}
	})
	if !started {
		call.answer <- claimAnswer{err: store.ErrClosed}
	}
}

// await returns the answer of a call, if it comes by the time that the timer ends. It does not wait
// for a shard that is slow.
func (c *claimer) await(ctx context.Context, timer *time.Timer) (a claimAnswer, ok bool) {
	call := c.call
	if !c.isSlow {
		select {
		case a := <-call.answer:
			return a, true
		case <-timer.C:
			timer.Reset(0) // for the next: what is there by now is taken
		case <-ctx.Done():
		}
	}
	call.abandoned.Store(true)
	return c.late()
}

// late returns the answer of a call, if it is there.
func (c *claimer) late() (a claimAnswer, ok bool) {
	select {
	case a := <-c.call.answer:
		return a, true
	default:
		return a, false
	}
}

// take takes in an answer and returns its claims.
func (c *claimer) take(a claimAnswer) []store.Claim {
	c.call = nil
	c.isSlow = a.took > patience
	if a.err != nil {
		c.failed = a.err
		c.delay = min(max(2*c.delay, retryFirst), retryMax)
		c.retryAt = time.Now().Add(c.delay)
		c.nextDue = time.Time{}
		return nil
	}
	c.failed, c.delay, c.retryAt = nil, 0, time.Time{}
	c.leased = a.result.Leased
	return a.result.Claims
}

// shortage returns what may have kept back what a request has not got, going by what is leased now.
func (c *claimer) shortage(req *store.ClaimRequest) shortage {
	return shortage{
		is: true,
		unhealthy: req.MaxUnhealthy > 0 &&
			c.leased.Unhealthy+req.Elsewhere.Unhealthy >= req.MaxUnhealthy,
		failing: req.MaxFailing > 0 && c.leased.Failing+req.Elsewhere.Failing >= req.MaxFailing,
	}
}

// due notes when something falls due, as an answer says. again says that the shard has answered
// this Claim before: then a lease that this Claim has taken is no news.
func (c *claimer) due(wait, lease time.Duration, again bool) {
	at := time.Time{}
	if wait != store.NoneDue {
		at = time.Now().Add(wait)
	}
	switch {
	case !again:
		c.nextDue = at
	case wait < lease && (c.nextDue.IsZero() || at.Before(c.nextDue)):
		c.nextDue = at
	}
}

// leaseEnds notes when leases end that have just been taken, of which the shard says nothing before
// it is asked again.
func (c *claimer) leaseEnds(at time.Time) {
	if c.nextDue.IsZero() || at.Before(c.nextDue) {
		c.nextDue = at
	}
}

// changed says that a subscription has changed, or all have if the ID is empty, so that claims made
// before must not be handed out.
func (c *claimer) changed(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.pending {
		return
	}
	if c.changes == nil {
		c.changes = make(map[string]struct{})
	}
	c.changes[id] = struct{}{}
}

// outdated returns which of the claims that come late may be handed out no more.
func (c *claimer) outdated() func(*store.Claim) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	changes := maps.Clone(c.changes)
	_, all := changes[""]
	return func(cl *store.Claim) bool {
		_, is := changes[cl.SubscriptionID]
		return all || is
	}
}

// rest forgets changes when no claim is left that they could be about.
func (c *claimer) rest() {
	if c.call != nil || len(c.held) > 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending, c.changes = false, nil
}

// releaseHeld gives back what came late and was not handed out. It is called by Close, when no call
// is under way any more.
func (s *Store) releaseHeld() {
	ctx, cancel := context.WithTimeout(context.Background(), releaseWait)
	defer cancel()
	for _, sh := range s.shards {
		c := &sh.claims
		var leases []store.Lease
		if c.call != nil {
			if a, ok := c.late(); ok && a.err == nil {
				c.held = append(c.held, heldClaims{claims: a.result.Claims})
			}
		}
		for _, h := range c.held {
			for i := range h.claims {
				leases = append(leases, h.claims[i].Lease)
			}
		}
		if c.held = nil; len(leases) > 0 {
			_, _ = guard(func() (struct{}, error) { return struct{}{}, sh.Release(ctx, leases...) })
		}
	}
}
