package claims

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/claimloop"
	"github.com/outhook/outhook/store/internal/schedule"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/ownership"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Claims hands out what is due of a replica's shares. Make one with [New]. It is safe for
// concurrent use.
type Claims struct {
	*replica.Replica
	ownership *ownership.Ownership
	choosing  claimloop.Chooser[memory.Subscriber, memory.Claimed]
	// A channel, and no mutex: who waits for it leaves when its context ends.
	claiming chan struct{} // one slot, for the Claim that goes on
	began    time.Time     // when the last Claim did; of who has the slot
}

// Apart is how long after one Claim the next may begin. What falls due meanwhile shares its round
// trip: while many publish, each of their transactions wakes who claims, and a round trip for a
// dozen deliveries costs both sides nearly what one for fifty does. A Claim after a time in which
// nothing was due waits for nothing.
const Apart = 2 * time.Millisecond

// New returns the claims of a replica. That owns nothing until the first Claim, which joins.
func New(r *replica.Replica, o *ownership.Ownership) *Claims {
	c := &Claims{Replica: r, ownership: o, claiming: make(chan struct{}, 1)}
	c.choosing = claimloop.Chooser[memory.Subscriber, memory.Claimed]{
		Mu: r.Memory, Schedule: r.Memory.Schedule, Load: c.loadLacks,
	}
	return c
}

// Claim leases deliveries and returns them. Claims beside an error are to be handed out too.
//
// A second Claim waits for the first. It would find the schedule without what the first is loading,
// and come away with less than there is.
func (c *Claims) Claim(
	ctx context.Context, req store.ClaimRequest,
) (result store.ClaimResult, err error) {
	select {
	case c.claiming <- struct{}{}:
		defer func() { <-c.claiming }()
	case <-ctx.Done():
		return result, ctx.Err()
	}
	time.Sleep(time.Until(c.began.Add(Apart)))
	c.began = time.Now()
	// Each time: it also notes that the replica claims, which is what keeps its shares.
	if err := c.ownership.Join(ctx); err != nil {
		return result, err
	}
	// Before the first choice, so that nothing is claimed of what the same request pauses.
	if err := c.pause(ctx, req.Pauses); err != nil {
		return result, err
	}
	late := 0
	result, err = claimloop.Run(req, func(req store.ClaimRequest) (claimloop.Go, error) {
		g := claiming{Claims: c, req: req}
		again, err := g.run(ctx)
		// The next go renews first. Where even that comes too late, the caller asks again.
		if g.late {
			late++
			again = late < 2
		}
		return claimloop.Go{
			Claims: g.got, NextDue: g.nextDue, Leased: c.leased(), Again: again,
		}, err
	})
	made := len(result.Claims)
	result.Claims = c.handOut(req.Lease, result.Claims)
	if len(result.Claims) < made {
		result.NextDue, result.Leased = 0, c.leased()
	}
	return result, err
}

// handOut returns those of the claims that are still good, and has their leases begin now: since
// they were made, the goes may have taken as long as a lease. Others have ended, or another replica
// may have them.
func (c *Claims) handOut(lease time.Duration, claims []store.Claim) (good []store.Claim) {
	valid := c.ownership.IsValid()
	c.Memory.Lock()
	defer c.Memory.Unlock()
	now := c.Clock.Now()
	c.Memory.Schedule.Expire(now)
	for i := range claims {
		cl := &claims[i]
		l := c.Memory.Present(cl.Token, cl.SubscriptionID, cl.EventID)
		if l != nil && l.Expired() { // no other claim has gone on since, so it is had back
			c.Memory.Schedule.Seal(l, false, now)
			c.Memory.Schedule.Unseal(l)
		}
		switch {
		case l == nil:
		case !valid:
			c.Memory.Schedule.Withdraw(l, now)
		default:
			c.Memory.Schedule.Prolong(l, schedule.Add(now, lease))
			good = append(good, *cl)
		}
	}
	return good
}

// leased returns what this replica has leased: limits over several subscriptions are each
// replica's own.
func (c *Claims) leased() store.Leased {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	return c.Memory.Schedule.Leased()
}

// Release gives leases back. It writes nothing: leases are in memory. It ignores tokens that are
// void, and so all of a share that was lost meanwhile.
func (c *Claims) Release(leases []store.Lease) {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	now := c.Clock.Now()
	for _, given := range leases {
		l := c.Memory.Present(given.Token, given.SubscriptionID, given.EventID)
		if l != nil {
			c.Memory.Schedule.Release(l, now)
		}
	}
}

// pause begins and ends pauses of subscriptions. Those of other replicas' shares do nothing here:
// nothing is claimed of them anyway. The schedule keeps them by number, also of subscriptions that
// are not in memory.
func (c *Claims) pause(ctx context.Context, pauses []store.Pause) error {
	if len(pauses) == 0 {
		return nil
	}
	ids := make([]string, len(pauses))
	for i := range pauses {
		ids[i] = record.Plain(pauses[i].SubscriptionID)
	}
	var id string
	var num int64
	nums := make(map[string]uint64, len(pauses))
	// An ID that is not there is not in nums, and its pause is ignored.
	read := sqltx.Each([]any{&id, &num}, func() { nums[id] = uint64(num) })
	if err := c.DB.Rows(ctx, read, c.SQL.Nums, ids); err != nil {
		return err
	}
	c.Memory.Lock()
	defer c.Memory.Unlock()
	now := c.Clock.Now()
	for i := range pauses {
		if num, ok := nums[ids[i]]; ok {
			c.Memory.Schedule.Pause(num, pauses[i], now)
		}
	}
	return nil
}
