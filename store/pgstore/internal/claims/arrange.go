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
	if len(nums) == 0 {
		return nil
	}
	c.Keyed.Lock() // nothing of a key may end between
	defer c.Keyed.Unlock()
	for _, num := range nums {
		if err := c.arrangeOne(ctx, num); err != nil {
			return err
		}
	}
	return nil
}

func (c *claiming) arrangeOne(ctx context.Context, num uint64) error {
	c.Memory.Lock()
	waiting := c.Memory.RowlessOf(num)
	c.Memory.Unlock()
	var keys replica.Keys
	for len(waiting) > 0 {
		n := min(len(waiting), replica.SpillStep)
		if err := c.spillKeyed(ctx, waiting[:n], &keys); err != nil {
			return err
		}
		waiting = waiting[n:]
	}
	return c.holdBack(ctx, &keys)
}

// spillKeyed gives rows to those of some deliveries that have keys, and adds these.
func (c *claiming) spillKeyed(
	ctx context.Context, step []memory.Delivery, keys *replica.Keys,
) error {
	var spilled []memory.Change
	subs, seqs := replica.Numbers(step)
	err := c.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
		c.QueueLock(b)
		var key string
		change := memory.Change{Pending: true}
		read := sqltx.Each([]any{&change.Sub, &change.Seq, &key}, func() {
			spilled = append(spilled, change)
			keys.Add(int64(change.Sub), key)
		})
		b.Queue(c.SQL.SpillKeyed, subs, seqs).Query(read)
	})
	if err == nil {
		c.Apply(spilled...)
	}
	return err
}

// holdBack puts what comes after the first of each key behind it.
func (c *claiming) holdBack(ctx context.Context, keys *replica.Keys) error {
	if len(keys.Subs) == 0 {
		return nil
	}
	var behind []memory.Change
	err := c.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
		c.QueueLock(b)
		c.QueueHoldBack(b, keys, &behind)
	})
	if err == nil {
		c.Apply(behind...)
	}
	return err
}
