package claims

import (
	"fmt"
	"maps"
	"time"

	"github.com/outhook/outhook/store"
)

// lateShare is the part of a lease, 1 in so many, that may have passed when a claim is handed out.
// A dispatcher gives an attempt up in time for its lease, so what is left must be enough for one.
const lateShare = 8

// heldClaims came too late for the round that asked for them.
type heldClaims struct {
	claims []store.Claim
	until  time.Time // when they must be handed out
}

// collect takes in what a store has answered since the last round, and hands out what it held.
func (r *round) collect(c *claimer) {
	if call := c.call; call != nil {
		a, ok := c.late()
		switch {
		case ok:
			claims := r.take(c, a, 0)
			// The lease began when the store was asked or later, and may be longer than that of this
			// request; see ask.
			until := call.began.Add(call.req.Lease - r.req.Lease + r.req.Lease/lateShare)
			if len(claims) > 0 {
				c.held = append(c.held, heldClaims{claims, until})
			}
			// It has yielded less than it was asked for, as it has no more, or as a limit kept it
			// back. Asked again now it would answer late again, have Ready say so, and be asked
			// again, for nothing each time.
			if p := r.part(c); p.last.is && !c.HasStirred() {
				p.spent = true
			}
		case !c.told && time.Since(call.began) > hangs:
			c.told = true
			r.trouble = append(r.trouble, c.Wrap(errHangs))
		}
	}
	if told := c.TakeTrouble(); told != nil {
		r.trouble = append(r.trouble, told)
	}
	r.handHeld(c)
	c.rest()
}

var errHangs = fmt.Errorf("a claim has not returned for %v", hangs)

// handHeld hands out what came late, as much as there is room for, and has given back what is too
// old or has changed since.
func (r *round) handHeld(c *claimer) {
	p, outdated := r.part(c), c.outdated()
	var keep []heldClaims
	for _, h := range c.held {
		isOld := time.Now().After(h.until)
		var rest []store.Claim
		for i := range h.claims {
			cl := &h.claims[i]
			switch {
			case isOld || outdated(cl):
				p.surplus = append(p.surplus, cl.Lease)
			case r.left() <= 0:
				rest = append(rest, *cl)
			default:
				r.hand(c, cl)
			}
		}
		if len(rest) > 0 {
			keep = append(keep, heldClaims{rest, h.until})
		}
	}
	c.held = keep // and the next round goes on with them
}

// takeHeld returns the leases of all that came late, when nothing more is handed out.
func (c *claimer) takeHeld() (leases []store.Lease) {
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
	c.held = nil
	return leases
}

// changed says that a subscription has changed, or all have if the ID is empty, so that claims made
// before must not be handed out.
func (c *claimer) changed(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.pending { // as a rule: no claim is left that it could be about
		return
	}
	if c.changes == nil {
		c.changes = make(map[string]struct{})
	}
	c.changes[id] = struct{}{}
}

// outdated returns which of the claims that come late may be handed out no more. A change that
// comes while the result is used is none of this Claim's: its caller has the claims by then, as
// those of a single store.
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
