package boltstore

import (
	"context"

	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// markDead ends deliveries whose record can't be read. Their leases are sealed.
func (s *Store) markDead(ctx context.Context, damaged []*memory.Lease) error {
	if len(damaged) == 0 {
		return nil
	}
	return s.submit(ctx, &op{
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
					s.memory.Schedule.Release(l, s.now())
				}
			}
		},
	})
}
