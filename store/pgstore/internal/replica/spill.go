package replica

import (
	"context"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// SpillStep is how many deliveries get a row in one transaction.
const SpillStep = 5000

// More are left for the next second: Spill is called after each renewal, which must not wait.
const spillSteps = 50 // of one Spill

// Spill gives rows to the oldest first attempts, if there are too many without or too old ones. See
// [memory.Memory.OldestRowless].
func (r *Replica) Spill(ctx context.Context) error {
	for range spillSteps {
		oldest := r.oldestRowless()
		if len(oldest) == 0 {
			return nil
		}
		if err := r.spillSome(ctx, oldest); err != nil {
			return err
		}
	}
	return nil
}

func (r *Replica) oldestRowless() []memory.Delivery {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	return r.Memory.OldestRowless(SpillStep)
}

func (r *Replica) spillSome(ctx context.Context, oldest []memory.Delivery) error {
	var spilled []memory.Change
	subs, seqs := Numbers(oldest)
	server := r.Server()
	err := sqltx.Retry(func() error {
		spilled = nil
		return r.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
			r.QueueLock(b)
			c := memory.Change{Pending: true}
			b.Queue(r.SQL.Spill, subs, seqs).Query(sqltx.Each([]any{&c.Sub, &c.Seq}, func() {
				spilled = append(spilled, c)
			}))
		})
	})
	if err == nil {
		r.Apply(server, spilled...)
	}
	return err
}
