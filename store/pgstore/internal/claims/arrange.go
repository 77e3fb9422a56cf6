package claims

import (
	"context"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// arrange gives rows to all first attempts of subscriptions that have keys, and puts behind the
// first of each key what comes after it.
//
// A probe takes the newest first attempt, where all other claims take the oldest. So what an
// earlier delivery of its key holds back is not found by who was leased before: the deliveries of
// that key must have rows, which say what is behind another. What is leased gets its row with its
// outcome.
//
// It writes once for each delivery: what has a row already, the next probe finds behind.
func (c *claiming) arrange(ctx context.Context, nums []uint64) error {
	// Before Keyed, which a Finish may hold over a transaction: nearly no Claim has anything to
	// arrange.
	if len(nums) == 0 {
		return nil
	}
	// It is held over both steps: what has got its row in the first must not miss an end before the
	// second.
	c.Keyed.Lock() // nothing of a key may end between
	defer c.Keyed.Unlock()
	for _, num := range nums {
		if err := c.arrangeOne(ctx, num); err != nil {
			return err
		}
	}
	return nil
}

// arrangeOne goes through all that waits without a row: memory does not have the keys of that.
func (c *claiming) arrangeOne(ctx context.Context, num uint64) error {
	c.Memory.Lock()
	// What is published from now on has no row either. It comes after all of these, so it is not
	// the first of a key that one of these has.
	waiting := c.Memory.RowlessOf(num)
	c.Memory.Unlock()
	var keys replica.Keys
	for len(waiting) > 0 {
		// In steps, as a backlog may be as large as memory holds, and a transaction is bounded.
		n := min(len(waiting), replica.SpillStep)
		if err := c.spillKeyed(ctx, waiting[:n], &keys); err != nil {
			return err
		}
		waiting = waiting[n:]
	}
	// Once, after the last step: the first of a key may have got its row in any of them.
	return c.holdBack(ctx, &keys)
}

// spillKeyed gives rows to those of some deliveries that have keys, and adds these. What has no key
// stays as it is, without a row.
func (c *claiming) spillKeyed(
	ctx context.Context, step []memory.Delivery, keys *replica.Keys,
) error {
	var spilled []memory.Change
	subs, seqs := replica.Numbers(step)
	server := c.Server()
	err := c.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
		c.QueueLock(b)
		var key string
		// Due 0: it stays a first attempt, in its place.
		change := memory.Change{Pending: true}
		read := sqltx.Each([]any{&change.Sub, &change.Seq, &key}, func() {
			spilled = append(spilled, change)
			keys.Add(int64(change.Sub), key)
		})
		b.Queue(c.SQL.SpillKeyed, subs, seqs).Query(read)
	})
	// What had a row by then is not returned: somebody has given it one, and has told memory, or
	// has left a notice.
	if err == nil {
		c.Apply(server, spilled...)
	}
	return err
}

// holdBack puts what comes after the first of each key behind it. A claim of what is behind would
// find it blocked, and park it, one after the other.
func (c *claiming) holdBack(ctx context.Context, keys *replica.Keys) error {
	if len(keys.Subs) == 0 {
		return nil
	}
	var behind []memory.Change
	server := c.Server()
	err := c.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
		c.QueueLock(b)
		c.QueueHoldBack(b, keys, &behind)
	})
	if err == nil {
		c.Apply(server, behind...)
	}
	return err
}
