package ownership

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// agree brings memory in line with the database after a doubt, or if the server was started at
// another time than the one before.
//
// That may be the standby of a server that has died. Events are there, but outcomes do not wait for
// a standby (sqltx.Local), and the last of them may be missing: a delivery that memory has as
// ended, or as waiting for a retry, is pending without a row again. Nobody would claim it; and a
// low mark that goes by memory would pass it, and so lose it. What memory is told later of the
// server that has died makes a doubt (memory.Since). After a doubt (memory.Doubt) it is
// the other way round: the database has what memory was not told of.
func (o *Ownership) agree(ctx context.Context, started time.Time) error {
	if o.server.IsZero() { // memory has nothing yet
		o.server = started
	}
	if started.Equal(o.server) && !o.inDoubt() {
		return nil
	}
	// What notices say of subscriptions meanwhile would be newer than what is read.
	o.Keyed.Lock()
	defer o.Keyed.Unlock()
	// What is taken in meanwhile may be below the low marks.
	o.Lowering.Lock()
	defer o.Lowering.Unlock()
	o.Memory.Lock()
	held, nums := o.Memory.BeginResync(!started.Equal(o.server))
	o.Memory.Unlock()
	var l memory.Loaded
	states := make(replica.States)
	nums, err := o.readAgain(ctx, held, nums, &l, states)
	if err == nil {
		o.NoteClosing(nums, states)
	}
	o.Memory.Lock()
	defer o.Memory.Unlock()
	if err != nil {
		o.Memory.AbandonResync() // the next Renew tries again
		return err
	}
	if !started.Equal(o.server) {
		o.Memory.ForgetNumbers()
	}
	now := o.Clock.Now()
	// Deliveries first: what a subscription cancels is then known to be pending.
	o.Memory.Resync(&l, o.ID, now)
	for _, num := range nums {
		o.Memory.SetState(uint64(num), states[num], now)
	}
	o.server = started
	return nil
}

// readAgain reads what is pending of shares, and subscriptions: some, and those that are closing.
// It returns which it has looked for.
func (o *Ownership) readAgain(
	ctx context.Context, held []int32, nums []int64, l *memory.Loaded, states replica.States,
) ([]int64, error) {
	var closing []int64
	err := o.DB.Rows(ctx, sqltx.Into(&closing, pgx.RowTo[int64]), o.SQL.Closing, held, o.ID)
	if err != nil {
		return nil, err
	}
	nums = append(nums, closing...)
	within := sqltx.Bounds{Limit: sqltx.StatementTimeout}
	return nums, sqltx.Retry(func() error {
		return o.DB.WriteWithin(ctx, within, sqltx.ByIndex, func(b *sqltx.Batch) {
			o.QueueLock(b)
			// What has ended may have freed others, and nobody was told to look.
			b.Queue(o.SQL.UnblockAll, held)
			o.queueLoad(b, held, l)
			o.QueueStates(b, nums, states)
		})
	})
}

// queueLoad adds to a transaction that it reads what is pending of shares.
func (o *Ownership) queueLoad(b *sqltx.Batch, ids []int32, l *memory.Loaded) {
	b.Queue(o.SQL.Shares).Query(sqltx.Into(&l.Shares, readDealt))
	b.Queue(o.SQL.Implicit, ids).Query(sqltx.Into(&l.Rowless, readRowless))
	b.Queue(o.SQL.Waiting, ids).Query(sqltx.Into(&l.Waiting, pgx.RowTo[int64]))
}
