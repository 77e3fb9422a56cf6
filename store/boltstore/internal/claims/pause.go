package claims

import (
	"context"
	"maps"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// pause takes in the pauses of a Claim. It reads from the file only for subscriptions that memory
// does not have, and without the mutex. All of them are in force together, or none after an error.
func (c *Claimer) pause(ctx context.Context, pauses []store.Pause) error {
	if len(pauses) == 0 {
		return nil
	}
	nums, err := c.numbersOf(ctx, pauses)
	if err != nil {
		return err
	}
	// After the reading, since a pause runs from when it is in force.
	now := c.db.Now()
	c.db.Lock()
	defer c.db.Unlock()
	for _, p := range pauses {
		if num := nums[p.SubscriptionID]; num != 0 {
			c.db.Memory.Schedule.Pause(num, p, now)
		}
	}
	return nil
}

// numbersOf returns the numbers of subscriptions. It has none for an ID that is unknown. Most
// pauses are of subscriptions that are being delivered to, and those memory has.
func (c *Claimer) numbersOf(ctx context.Context, pauses []store.Pause) (map[string]uint64, error) {
	nums := make(map[string]uint64, len(pauses))
	var unknown []string
	c.db.Lock()
	for _, p := range pauses {
		if num, ok := c.db.Memory.Number(p.SubscriptionID); ok {
			nums[p.SubscriptionID] = num
		} else {
			unknown = append(unknown, p.SubscriptionID)
		}
	}
	c.db.Unlock()
	if len(unknown) == 0 {
		return nums, nil
	}
	read := make(map[string]uint64, len(unknown))
	err := c.db.Read(ctx, func(t *txn.Tx) (err error) {
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
