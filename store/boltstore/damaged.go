package boltstore

import (
	"context"

	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// markDead ends deliveries whose record can't be read. Their leases are sealed.
func (c *claimer) markDead(ctx context.Context, damaged []*memory.Lease) error {
	if len(damaged) == 0 {
		return nil
	}
	return c.commits.submit(ctx, &op{
		run: func(t *txn.Tx) error {
			for _, l := range damaged {
				if err := t.MarkDead(l.Sub.Num, l.Seq, l.Position().Due); err != nil {
					return err
				}
			}
			return nil
		},
		ended: func(err error) {
			for _, l := range damaged {
				if err != nil {
					c.state.memory.Schedule.Release(l, c.db.now())
				}
			}
		},
	})
}
