package claims

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

const (
	// patience is how long a round waits for a store that was quick until now. Once it has waited
	// in vain it does not wait for that store again, until the store has been quick.
	patience = 5 * time.Millisecond

	// hangs is after how long a call that has not returned counts as trouble.
	hangs = 10 * time.Second

	retryFirst = 50 * time.Millisecond // after a store's first failure
	retryMax   = 5 * time.Second

	releaseWait = time.Second // how long Close waits for all stores
)

// claimer is the claims of one store. It belongs to the Claim that holds Claims.claiming, but for
// what has its own guard.
type claimer struct {
	Source
	index int

	call    *claimCall // that has not been answered yet; nil if none is under way
	isSlow  bool       // the last call took longer than patience
	held    []heldClaims
	leased  store.Leased // as the store said last
	granted store.Leased // what more it may lease in the call that is under way
	nextDue time.Time    // when something falls due, as the store said last; zero if nothing does

	failed  error         // of the last call
	retryAt time.Time     // when the store is asked again after it
	delay   time.Duration // until then
	told    bool          // that the call hangs

	idle idleness // that it had nothing for a Claim, and when that was

	pauses []store.Pause // that the store has not been told yet

	mu      sync.Mutex          // guards below
	pending bool                // there is a call under way, or claims are held
	changes map[string]struct{} // subscriptions that have changed since; "" is all
}

// claimCall is a call of a store's Claim that is under way.
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

// ask begins a call of the store.
func (cs *Claims) ask(c *claimer, req store.ClaimRequest) {
	if c.isSlow {
		// What it yields will come late, and is then to have as much of its lease left as others.
		req.Lease = min(2*req.Lease, store.MaxDuration)
	}
	req.Pauses, c.pauses = c.pauses, nil
	c.Asked() // before the call: what comes while it runs may not be in the answer
	c.idle = idleness{}
	call := &claimCall{began: time.Now(), req: req, answer: make(chan claimAnswer, 1)}
	// Before the call too: a change that comes while it runs may be missing in its claims.
	c.mu.Lock()
	c.pending = true
	c.mu.Unlock()
	c.call, c.told = call, false
	started := cs.Calls.Start(func() {
		result, err := calls.Guard(func() (store.ClaimResult, error) {
			return c.Claim(cs.Calls.Context(), req)
		})
		if err != nil {
			result.Claims = nil
		}
		call.answer <- claimAnswer{result, err, time.Since(call.began)}
		// In this order: either we see that nobody waits, or anybody who stops waiting sees the
		// answer.
		if call.abandoned.Load() {
			cs.Wake()
		}
	})
	if !started {
		call.answer <- claimAnswer{err: store.ErrClosed}
	}
}

// await returns the answer of a call, if it comes by the time that the timer ends. It does not wait
// for a store that is slow.
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
