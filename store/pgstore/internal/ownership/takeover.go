package ownership

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// acquire takes shares that nobody has. It returns those that it got. The statement looks again who
// lives, so of two that want a share one gets it.
func (o *Ownership) acquire(ctx context.Context, ids []int32) (taken []int32, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var id int32
	var fence int64
	fences := make(map[int32]int64)
	within := sqltx.Bounds{Limit: renewTimeout}
	err = o.DB.WriteWithin(ctx, within, sqltx.ByIndex, func(b *sqltx.Batch) {
		o.queueLockShares(b, ids, 0)
		b.Queue(o.SQL.Acquire, ids, o.ID).Query(sqltx.Each([]any{&id, &fence, nil}, func() {
			fences[id] = fence
		}))
	})
	if err != nil {
		fences = nil // if it has committed after all, the next Renew finds them as its own
	}
	o.Memory.Lock()
	defer o.Memory.Unlock()
	return o.Memory.Acquired(ids, fences), err
}

// load reads what is pending of shares that are this replica's, once all transactions of their
// former owners have ended, and gives it to memory.
//
// The order of the statements is what it rests on: the locks, then the notices, then what is
// pending. Each sees all that was committed before it, and from the locks on the former owners
// commit nothing more.
func (o *Ownership) load(ctx context.Context, ids []int32) error {
	if len(ids) == 0 {
		return nil
	}
	former, err := o.formerOwners(ctx, ids)
	if err != nil {
		return err
	}
	// First, in transactions of its own: what is read after it fits into memory.
	if err := o.catchUp(ctx, ids); err != nil {
		return err
	}
	var l memory.Loaded
	within := sqltx.Bounds{Limit: sqltx.StatementTimeout}
	err = sqltx.Retry(func() error {
		return o.DB.WriteWithin(ctx, within, sqltx.ByIndex, func(b *sqltx.Batch) {
			for _, id := range former {
				b.Queue("SELECT pg_advisory_xact_lock($1)", o.Schema.ReplicaLock(id))
			}
			// The notices come before what is read: what they say is in that. One that is written
			// later stays, and is looked at once the shares are owned.
			b.Queue(o.SQL.TakeNotices, ids, o.ID, replica.NoticesStep, replica.NoticesStepSize)
			// The notice of a tenant that was closed since the shares were acquired is gone with those.
			b.Queue(o.SQL.DrainedOfShares, ids, o.ID)
			b.Queue(o.SQL.UnblockAll, ids)
			o.queueLoad(b, ids, &l)
		})
	})
	if err != nil {
		return err
	}
	o.Memory.Lock()
	defer o.Memory.Unlock()
	o.Memory.Install(ids, &l, o.ID, o.Clock.Now())
	return nil
}

func readRowless(row pgx.CollectableRow) (d memory.Delivery, err error) {
	err = row.Scan(&d.Seq, &d.Sub)
	return d, err
}

// formerOwners returns the replicas that had the shares before, but for this one: what it publishes
// meanwhile waits in memory.
func (o *Ownership) formerOwners(ctx context.Context, ids []int32) (former []int64, err error) {
	err = o.DB.Rows(ctx, sqltx.Into(&former, pgx.RowTo[int64]), o.SQL.Former, ids)
	// In one order, so that two new owners do not wait for each other's locks crosswise.
	slices.Sort(former)
	return slices.DeleteFunc(slices.Compact(former), func(id int64) bool {
		return id == 0 || id == o.ID
	}), err
}

// catchUpStep is how many events are given rows for at once.
const catchUpStep = 10_000

// catchUp gives rows to the oldest of what is pending of shares, if there is more than memory
// should hold: nobody has claimed for long.
func (o *Ownership) catchUp(ctx context.Context, ids []int32) error {
	for {
		lag := 0
		err := o.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(o.SQL.Lag, ids, memory.MaxLag+1).QueryRow(sqltx.One(&lag))
		})
		if err != nil || lag <= memory.MaxLag {
			return err
		}
		o.Memory.Lock()
		most := o.Memory.LoadLimit(ids)
		o.Memory.Unlock()
		// No mark is raised if the shares were lost, or if nothing more may be passed (LoadLimit).
		raised := false
		err = o.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
			o.QueueLock(b)
			o.queueLockShares(b, ids, o.ID)
			b.Queue(o.SQL.CatchUp, ids, catchUpStep, most, o.ID).Exec(func(tag pgconn.CommandTag) error {
				raised = tag.RowsAffected() > 0
				return nil
			})
		})
		if err != nil || !raised {
			return err // what is left is read as it is
		}
	}
}
