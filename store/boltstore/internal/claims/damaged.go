package claims

import (
	"context"

	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// markDead ends deliveries whose record can't be read. Their leases are sealed. If that fails the
// leases are given back, and the next Claim finds the deliveries again.
func (c *Claimer) markDead(ctx context.Context, damaged []*memory.Lease) error {
	if len(damaged) == 0 {
		return nil
	}
	return c.db.Submit(ctx, &database.Op{
		Run: func(t *txn.Tx) error {
			for _, l := range damaged {
				if err := t.MarkDead(l.Sub.Num, l.Seq, l.Position().Due); err != nil {
					return err
				}
			}
			return nil
		},
		// Without an error, the effects of the transaction have ended the leases.
		Ended: func(err error) {
			for _, l := range damaged {
				if err != nil {
					c.db.Memory.Schedule.Release(l, c.db.Now())
				}
			}
		},
	})
}
