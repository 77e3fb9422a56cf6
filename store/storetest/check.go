package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// rule is one sentence of the contract and what tests it.
type rule struct {
	name string
	rule string // the sentence
	test func(c *check)

	days    bool // it takes days of the store's clock
	restart bool // it takes a store that can be reopened
	hosted  bool // it takes a store that enqueues in transactions of the host's
	real    bool // it takes real time: something blocks in it that no bubble knows
}

// group is the rules of one method, or of some that go together.
type group struct {
	name  string
	rules []rule
}

// groups returns the whole suite.
func groups() []group {
	return []group{
		{"subscriptions", subscriptionRules()},
		{"unsubscribe", unsubscribeRules()},
		{"enqueue", enqueueRules()},
		{"wanted", wantedRules()},
		{"claim", claimRules()},
		{"wait", waitRules()},
		{"fairness", fairnessRules()},
		{"limits", limitRules()},
		{"pause", pauseRules()},
		{"keys", keyRules()},
		{"unblock", unblockRules()},
		{"hidden", hiddenRules()},
		{"trace", traceRules()},
		{"finish", finishRules()},
		{"canceled", canceledRules()},
		{"body", bodyRules()},
		{"health", healthRules()},
		{"release", releaseRules()},
		{"ready", readyRules()},
		{"deliveries", deliveryRules()},
		{"pages", pageRules()},
		{"requeue", requeueRules()},
		{"probe-now", probeNowRules()},
		{"erase", eraseRules()},
		{"prune", pruneRules()},
		{"stats", statsRules()},
		{"windows", windowRules()},
		{"values", valueRules()},
		{"bounds", boundRules()},
		{"calls", callRules()},
		{"reads", readRules()},
		{"host-transactions", hostRules()},
		{"liveness", livenessRules()},
		{"contexts", contextRules()},
		{"concurrency", concurrencyRules()},
		{"restart", restartRules()},
	}
}

// violations runs the rule and returns what it saw broken.
func (r rule) violations(c *check) []string {
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(errStop) {
				c.errorf("panic: %v", p)
			}
		}()
		r.test(c)
	}()
	return c.violated
}

// check is what a rule works with: a store, and short ways to use it. A call of the store that fails where it must not
// is a violation, and ends the rule.
type check struct {
	store  store.Store
	ctx    context.Context
	reopen func()        // restarts the store; nil when it can't be
	close  func() bool   // closes the store, and reports whether it can be closed
	hosted *hosted       // nil when the store enqueues in no transactions of the host's
	bound  time.Duration // how long one call may take
	slow   bool          // each call is a journey to a server: fewer of them will do

	seals bool // SealedWith is the store's own

	short time.Duration // what can be waited for: as a lease, as a delay
	long  time.Duration // what is not over before the rule is
	slack time.Duration // how much later than due something may come
	skew  time.Duration // how far the store's clock may be from ours

	mu           sync.Mutex // guards all below
	subs, events int        // how many were made
	violated     []string
}

// newCheck returns a check for a store in fake time.
func newCheck(s store.Store) *check {
	return &check{
		store: s,
		ctx:   context.Background(),
		short: time.Minute,
		long:  100 * 24 * time.Hour,
		slack: time.Second, // a store may let a Finish wait
		skew:  time.Second,
		bound: DefaultBound,
		close: func() bool { return closeStore(s) },
	}
}

// errStop is what fatalf panics with.
var errStop = errors.New("storetest: stop")

// errorf notes a violation. It may be called from any goroutine.
func (c *check) errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.violated = append(c.violated, fmt.Sprintf(format, args...))
}

// fatalf notes a violation and ends the rule. It may only be called from the rule's own goroutine.
func (c *check) fatalf(format string, args ...any) {
	c.errorf(format, args...)
	panic(errStop)
}

// must ends the rule when the call failed.
func (c *check) must(what string, err error) {
	if err != nil {
		c.fatalf("%s: got error %v", what, err)
	}
}

// is checks that an error is the wanted one.
func (c *check) is(what string, err, want error) {
	if !errors.Is(err, want) {
		c.errorf("%s: got error %v, want %v", what, err, want)
	}
}

// invalid checks that an error says that the input is bad.
func (c *check) invalid(what string, err error) {
	var invalid *events.InvalidError
	if !errors.As(err, &invalid) {
		c.errorf("%s: got error %v, want an *events.InvalidError", what, err)
	}
}

// equal checks a value.
func equal[T comparable](c *check, what string, got, want T) {
	if got != want {
		c.errorf("%s: got %v, want %v", what, got, want)
	}
}

// near checks a time that the store has stamped.
func (c *check) near(what string, got, want time.Time) {
	if d := got.Sub(want); d < -c.skew || d > c.skew+c.slack {
		c.errorf("%s: got %v, want about %v", what, got, want)
	}
}

// late reports whether this machine is too slow to tell what had to be seen within a short time.
func (c *check) late(since time.Time) bool { return time.Since(since) >= c.short }

// pass lets the time pass, and a little more.
func (c *check) pass(d time.Duration) {
	timer := time.NewTimer(d + c.slack)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
		c.fatalf("waiting: %v", c.ctx.Err())
	}
}
