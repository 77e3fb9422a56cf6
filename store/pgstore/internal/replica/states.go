package replica

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// States are subscriptions by their numbers. Those that are deleted are not among them.
type States map[int64]*memory.State

// QueueStates adds to a transaction that it reads subscriptions.
func (r *Replica) QueueStates(b *sqltx.Batch, nums []int64, into States) {
	b.Queue(r.SQL.States, nums).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var sub record.Subscription
			var h record.Health
			var canceledTo int64
			var closed bool
			if err := sub.Scan(rows, append([]any{&canceledTo, &closed}, h.Columns()...)...); err != nil {
				return err
			}
			into[sub.Num] = &memory.State{
				Sub: sub.Subscription, CanceledTo: uint64(canceledTo), Closed: closed,
				Health: h.Record(),
			}
		}
		return rows.Err()
	})
}

// refresh reads subscriptions that somebody has changed, and tells memory. The caller holds Keyed:
// another that reads them meanwhile would tell what is older.
func (r *Replica) refresh(ctx context.Context, nums []int64) error {
	if len(nums) == 0 {
		return nil
	}
	states := make(States, len(nums))
	err := r.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) { r.QueueStates(b, nums, states) })
	if err != nil {
		return err
	}
	r.NoteClosing(nums, states)
	r.Memory.Lock()
	defer r.Memory.Unlock()
	now := r.Clock.Now()
	for _, num := range nums {
		// nil for one that was deleted: it is forgotten, with all that is pending of it.
		r.Memory.SetState(uint64(num), states[num], now)
	}
	return nil
}

// NoteClosing notes which of some subscriptions, as they were read, are of closed tenants.
func (r *Replica) NoteClosing(nums []int64, states States) {
	if r.closing.note(nums, states) {
		// This may be a call of somebody else's, and who reports what is drained waits for the next
		// poll, which can be hours away.
		r.Notify.LookAgain()
	}
}
