package claims

import (
	"context"

	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// expire writes into the rows of what was leased, and has expired, that it is canceled. Memory has
// given it up. What waits behind it in its key is let go by the notices of the statement. If it
// fails, Prune writes it.
func (c *claiming) expire(ctx context.Context) error {
	if len(c.expired) == 0 {
		return nil
	}
	subs, seqs := replica.Numbers(c.expired)
	err := sqltx.Retry(func() error {
		return c.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
			b.Queue(c.SQL.Expire, subs, seqs)
		})
	})
	if err != nil {
		return err
	}
	_, err = c.TakeSomeNotices(ctx) // what it leaves is for the next Claim
	return err
}
