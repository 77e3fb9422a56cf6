package claims

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// parking is a leased delivery that an earlier one of its key blocks.
//
// probe says that it was chosen by a probe, out of the order of events.
type parking struct {
	lease *memory.Lease
	key   string
	probe bool
}

// park gives a row to what is blocked, and takes it out of the schedule until what blocks it has
// ended. That may have been just before: so unless it is leased, the first of the key is looked for
// in the same transaction. A probe that finds one delivery blocked may find many, one after the
// other, so all of its key that have rows are put behind the first of the key.
func (c *claiming) park(ctx context.Context, blocked []parking) error {
	// Keyed is not taken for nothing.
	if len(blocked) == 0 {
		return nil
	}
	c.Keyed.Lock() // before it is known which keys are free, until that is written
	defer c.Keyed.Unlock()
	free := c.freeKeys(blocked)
	subs, seqs := make([]int64, len(blocked)), make([]int64, len(blocked))
	keys := make([]string, len(blocked))
	var probed replica.Keys
	for i, p := range blocked {
		subs[i], seqs[i], keys[i] = int64(p.lease.Sub.Num), int64(p.lease.Seq), p.key
		if p.probe {
			probed.Add(subs[i], p.key)
		}
	}
	var freed, behind []memory.Change
	// One transaction, in this order: the rows must be there before they are put behind, and behind
	// before the first of the key is sought among them.
	server := c.Server()
	err := sqltx.Retry(func() error {
		freed, behind = nil, nil
		return c.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
			c.QueueLock(b)
			b.Queue(c.SQL.Park, subs, seqs, keys)
			c.QueueHoldBack(b, &probed, &behind)
			c.QueueUnblock(b, &free, &freed)
		})
	})
	c.DoubtAfter(err) // what it has freed would be known to nobody
	c.Memory.Lock()
	defer c.Memory.Unlock()
	c.Memory.Since(server)
	now := c.Clock.Now()
	// Also after an error: the leases must not stay. Then memory has them as free, and finds them
	// blocked again.
	for _, p := range blocked {
		if p.lease.Ended() {
			continue
		}
		// A token from before, if it has run out, is still good for a late outcome.
		c.Memory.Schedule.Withdraw(p.lease, now)
		if err == nil {
			d := memory.Delivery{Sub: p.lease.Sub.Num, Seq: p.lease.Seq}
			c.Memory.Apply(memory.Change{Delivery: d, Pending: true, Blocked: true}, now)
		}
	}
	// freed is last, as in the transaction: what was just parked may be what is free.
	for _, change := range slices.Concat(behind, freed) {
		c.Memory.Apply(change, now)
	}
	return err
}

// freeKeys returns the keys that have nothing earlier leased than what is blocked. A Finish that
// ends a lease with a key waits for Keyed, which the caller holds, and then unblocks what is behind
// it. Only these are looked for in the transaction. What blocks the others is still leased.
func (c *claiming) freeKeys(blocked []parking) (free replica.Keys) {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	for _, p := range blocked {
		leased := false
		p.lease.Sub.EachLease(func(l *memory.Lease) {
			leased = leased || l.Data.Key == p.key && l.Seq < p.lease.Seq
		})
		if !leased {
			free.Add(int64(p.lease.Sub.Num), p.key)
		}
	}
	return free
}
