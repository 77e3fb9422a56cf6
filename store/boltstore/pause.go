package boltstore

import (
	"context"
	"maps"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// pause takes in the pauses of a Claim. It reads from the file only for subscriptions that memory
// does not have, and without the mutex.
func (c *claimer) pause(ctx context.Context, pauses []store.Pause) error {
	if len(pauses) == 0 {
		return nil
	}
	nums, err := c.numbersOf(ctx, pauses)
	if err != nil {
		return err
	}
	now := c.db.now()
	c.state.Lock()
	defer c.state.Unlock()
	for _, p := range pauses {
		if num := nums[p.SubscriptionID]; num != 0 {
			c.state.memory.Schedule.Postpone(num, p.For, now)
		}
	}
	return nil
}

// numbersOf returns the numbers of subscriptions. It has none for an ID that is unknown.
func (c *claimer) numbersOf(ctx context.Context, pauses []store.Pause) (map[string]uint64, error) {
	nums := make(map[string]uint64, len(pauses))
	var unknown []string
	c.state.Lock()
	for _, p := range pauses {
		if num, ok := c.state.memory.Number(p.SubscriptionID); ok {
			nums[p.SubscriptionID] = num
		} else {
			unknown = append(unknown, p.SubscriptionID)
		}
	}
	c.state.Unlock()
	if len(unknown) == 0 {
		return nums, nil
	}
	read := make(map[string]uint64, len(unknown))
	err := c.db.read(ctx, func(t *txn.Tx) (err error) {
		for _, id := range unknown {
			if read[id], err = t.Subs.Number(id); err != nil {
				return err
			}
		}
		return nil
	})
	maps.Copy(nums, read)
	return nums, err
}
