package claims

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/claimloop"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
)

// hand completes the claims that can be made, and gives up the others. unordered are subscriptions
// whose probe has taken a delivery without a row that has a key: memory does not know whether it is
// the first of that key.
//
// It is one critical section: between the look at a lease and its claim nobody can end it. The
// cases are in order: what does not exist is not asked whether it is blocked.
func (c *claiming) hand() (lost int, blocked []parking, unordered []uint64) {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	c.Memory.Since(c.server) // what was read may be of a server that has died
	now := c.Clock.Now()
	schedule := c.Memory.Schedule
	for i, l := range c.round.Leases {
		if l.Ended() { // while it was read; without shares there is nothing else in found
			lost++
			continue
		}
		f := &c.found[i]
		at := memory.PositionOf(f.due, l.Seq)
		// Memory learns from what was read, so that the next go does not choose it again.
		change := memory.Change{
			Delivery: memory.Delivery{Sub: l.Sub.Num, Seq: l.Seq}, EndLease: true,
		}
		isProbe := c.req.IsProbe(l.Sub.Health())
		switch {
		// It has ended or was removed, and no notice has said so yet.
		case !f.exists, !f.pending && f.hasRow:
			lost++
			c.Memory.Apply(change, now)
		case f.pending && f.expired:
			lost++
			c.expired = append(c.expired, change.Delivery)
			c.Memory.Apply(change, now)
		case !f.pending: // it is canceled, and gets a row in time
			lost++
			schedule.End(l, now)
		// It was paused, or its tenant closed, or its share is to be given up, since this was chosen.
		case !c.Memory.Claimable(l.Sub):
			lost++
			schedule.Withdraw(l, now)
		// Only if it is elsewhere than it was: a probe takes what is not due, from where it is due
		// later.
		case at.Due > now && at != l.Position(): // it was attempted since the schedule learned of it
			lost++
			change.Pending, change.Due = true, f.due
			c.Memory.Apply(change, now)
		// Before it is known whether it is blocked: the leases do not say that either, since what
		// comes before it in its key was not leased first.
		case f.claim.Key != "" && !f.hasRow && isProbe:
			lost++
			unordered = append(unordered, l.Sub.Num)
			schedule.Withdraw(l, now)
		// It is given up in park, once its row says that it is behind.
		case f.blocked || c.isBlocked(l, f.claim.Key):
			lost++
			blocked = append(blocked, parking{l, f.claim.Key, isProbe})
		// Only this hands out.
		default:
			c.complete(l, f)
		}
	}
	return lost, blocked, unordered
}

// complete hands out a delivery. From here on Finish finds the lease by what Data has.
func (c *claiming) complete(l *memory.Lease, f *found) {
	claim, sub := &f.claim, l.Sub.Data.Sub
	if claim.Key != "" { // later ones of the key wait, those of this go too
		c.leased[l.Sub] = append(c.leased[l.Sub], leasedKey{l.Seq, claim.Key})
	}
	// Stamp and Attempts are what the outcome compares with the row, to know that nobody has
	// changed the delivery since.
	l.Data = memory.Claimed{
		EventID: claim.EventID, Key: claim.Key, Stamp: uint64(f.stamp),
		Attempts: claim.Attempt - 1, HasRow: f.hasRow,
	}
	claim.Lease = store.Lease{SubscriptionID: sub.ID, EventID: claim.EventID, Token: l.Token}
	claimloop.Complete(claim, &c.req, sub, l.Sub.Health())
	c.got = append(c.got, *claim)
}

// isBlocked reports whether an earlier delivery with the key is leased. The database knows of those
// with a row. An earlier one without a row was leased before this one, as first attempts are leased
// in the order of events, and so is in leased.
func (c *claiming) isBlocked(l *memory.Lease, key string) bool {
	if key == "" {
		return false
	}
	for _, k := range c.leased[l.Sub] {
		if k.key == key && k.seq < l.Seq {
			return true
		}
	}
	return false
}
