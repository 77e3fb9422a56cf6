// Package account has accounts of slot time that decay.
//
// Turns go by slot time: the one that has used the least lately comes first, so that a slow
// endpoint pays for its own slowness. Each tenant and each subscription has an account of the time
// that its leases took, which decays: after a half-life, half of it counts.
//
// An account that decays would have to be updated all the time, and heaps with it. Instead what is
// added weighs more the later it comes: a second of now is worth as much as two a half-life ago. So
// an account is a number that only changes when something is added, and the order of two accounts
// never changes by the passing of time alone.
package account

import "math"

const (
	halfLife = 30e9 // nanoseconds

	// MinCharge is what the quickest lease costs, in nanoseconds, so that endpoints which answer at
	// once take turns too.
	MinCharge = 100_000

	// maxDoublings is how often weights double until all accounts are scaled down, which is every
	// few hours: a float64 has room for a thousand.
	maxDoublings = 500
)

// Clock says what a time of now is worth. Its zero value is ready to use.
type Clock struct {
	epoch   int64 // when a nanosecond was worth 1
	started bool
}

// Worth returns what a lease of d nanoseconds adds to an account.
func (c *Clock) Worth(d, now int64) float64 {
	if !c.started {
		c.epoch, c.started = now, true
	}
	return float64(d) * math.Exp2(float64(now-c.epoch)/halfLife)
}

// Rescale moves the epoch if weights have become large. It returns by what all accounts are to be
// multiplied, and whether they are.
func (c *Clock) Rescale(now int64) (factor float64, ok bool) {
	doublings := float64(now-c.epoch) / halfLife
	if !c.started || doublings < maxDoublings {
		return 1, false
	}
	c.epoch = now
	return math.Exp2(-min(doublings, 2000)), true
}
