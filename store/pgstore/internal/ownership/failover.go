package ownership

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// agree brings memory in line with a server that was started at another time than the one before.
//
// That may be the standby of a server that has died. Events are there, but outcomes do not wait for
// a standby (sqltx.Local), and the last of them may be missing: a delivery that memory has as
// ended, or as waiting for a retry, is pending without a row again. Nobody would claim it; and a
// low mark that goes by memory would pass it, and so lose it.
func (o *Ownership) agree(ctx context.Context, started time.Time) error {
	if o.server.IsZero() { // memory has nothing yet
		o.server = started
	}
	if started.Equal(o.server) {
		return nil
	}
	// What is taken in meanwhile may be below the low marks.
	o.Lowering.Lock()
	defer o.Lowering.Unlock()
	o.Memory.Lock()
	held := o.Memory.BeginResync()
	o.Memory.Unlock()
	var l memory.Loaded
	err := o.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) { o.queueLoad(b, held, &l) })
	o.Memory.Lock()
	defer o.Memory.Unlock()
	if err != nil {
		o.Memory.EndResync() // the next Renew tries again
		return err
	}
	o.Memory.Resync(&l, o.ID, o.Clock.Now())
	o.server = started
	return nil
}

// queueLoad adds to a transaction that it reads what is pending of shares.
func (o *Ownership) queueLoad(b *sqltx.Batch, ids []int32, l *memory.Loaded) {
	b.Queue(o.SQL.Shares).Query(sqltx.Into(&l.Shares, readDealt))
	b.Queue(o.SQL.Implicit, ids).Query(sqltx.Into(&l.Rowless, readRowless))
	b.Queue(o.SQL.Waiting, ids).Query(sqltx.Into(&l.Waiting, pgx.RowTo[int64]))
}
