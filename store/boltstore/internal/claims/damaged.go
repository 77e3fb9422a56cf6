package claims

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// end ends deliveries whose record can't be read, and those whose event has expired. Their leases
// are sealed. If that fails the leases are given back, and the next Claim finds the deliveries
// again.
func (c *Claimer) end(ctx context.Context, damaged, expired []*memory.Lease) error {
	if len(damaged)+len(expired) == 0 {
		return nil
	}
	return c.db.Submit(ctx, &database.Op{
		Run: func(t *txn.Tx) error {
			for _, l := range damaged {
				if err := t.MarkDead(l.Sub.Num, l.Seq, l.Position().Due); err != nil {
					return err
				}
			}
			for _, l := range expired {
				if _, err := t.Expiries.Expire(pending.ID{Num: l.Sub.Num, Seq: l.Seq}); err != nil {
					return err
				}
			}
			return nil
		},
		// Without an error, the effects of the transaction have ended the leases.
		Ended: func(err error) {
			if err == nil {
				return
			}
			for _, l := range slices.Concat(damaged, expired) {
				c.db.Memory.Schedule.Release(l, c.db.Now())
			}
		},
	})
}
