// Package check is what the rules of a store work with: a [Driver] of short ways to use a store, a
// [Check] that collects what is wrong, and a watchdog over each call.
package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
)

// Check collects what a rule saw broken. Its times are those that the store's clock allows.
type Check struct {
	Short time.Duration // what can be waited for: as a lease, as a delay
	Long  time.Duration // what is not over before the rule is
	Slack time.Duration // how much later than due something may come
	Skew  time.Duration // how far the store's clock may be from ours

	mu       sync.Mutex // guards violated
	violated []string
}

// newCheck returns a Check for a store in fake time, or in real time.
func newCheck(realTime bool) *Check {
	if realTime {
		return &Check{
			Short: 600 * time.Millisecond,
			Long:  time.Hour,
			Slack: 100 * time.Millisecond,
			Skew:  10 * time.Second,
		}
	}
	return &Check{
		Short: time.Minute,
		Long:  100 * 24 * time.Hour,
		Slack: time.Second, // a store may let a Finish wait
		Skew:  time.Second,
	}
}

// Ctx returns the context of calls that nothing ends. A rule about contexts makes its own.
func (c *Check) Ctx() context.Context { return context.Background() }

// errStop is what Fatalf panics with.
var errStop = errors.New("storetest: stop")

// run runs a test. A panic ends it and is a violation.
func (c *Check) run(test func()) {
	defer func() {
		if p := recover(); p != nil && p != any(errStop) {
			c.Errorf("panic: %v", p)
		}
	}()
	test()
}

// Violations returns what was seen broken so far.
func (c *Check) Violations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.violated)
}

// Errorf notes a violation. It may be called from any goroutine.
func (c *Check) Errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.violated = append(c.violated, fmt.Sprintf(format, args...))
}

// Fatalf notes a violation and ends the rule. It may only be called from the rule's own goroutine.
func (c *Check) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	panic(errStop)
}

// Must ends the rule if the call failed.
func (c *Check) Must(what string, err error) {
	if err != nil {
		c.Fatalf("%s: got error %v", what, err)
	}
}

// Is checks that an error is the wanted one.
func (c *Check) Is(what string, err, want error) {
	if !errors.Is(err, want) {
		c.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// Invalid checks that an error says that the input is bad.
func (c *Check) Invalid(what string, err error) {
	var invalid *events.InvalidError
	if !errors.As(err, &invalid) {
		c.Errorf("%s: got error %v, want an *events.InvalidError", what, err)
	}
}

// Equal checks a value.
func Equal[T comparable](c *Driver, what string, got, want T) {
	if got != want {
		c.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Near checks a time that the store has stamped.
func (c *Check) Near(what string, got, want time.Time) {
	if d := got.Sub(want); d < -c.Skew || d > c.Skew+c.Slack {
		c.Errorf("%s: got %v, want about %v", what, got, want)
	}
}

// Late reports whether this machine is too slow to tell what had to be seen within a short time.
func (c *Check) Late(since time.Time) bool { return time.Since(since) >= c.Short }

// Pass lets the time pass, and a little more.
func (c *Check) Pass(d time.Duration) {
	<-time.After(d + c.Slack)
}
