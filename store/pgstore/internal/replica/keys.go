package replica

import (
	"context"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Keys are keys of subscriptions, as arguments of a statement. One may be there twice; the
// statements take each once.
type Keys struct {
	Subs []int64
	Keys []string
}

// Add adds a key.
func (k *Keys) Add(sub int64, key string) {
	k.Subs, k.Keys = append(k.Subs, sub), append(k.Keys, key)
}

// unblock frees what is behind nothing any more. The caller holds Keyed, so that nothing is put
// behind a delivery that ends at the same time.
func (r *Replica) unblock(ctx context.Context, keys *Keys) error {
	if len(keys.Subs) == 0 {
		return nil
	}
	var freed []memory.Change
	server := r.Server()
	// It may meet an erasure, which goes through subscriptions, while this goes through keys.
	err := sqltx.Retry(func() error {
		freed = nil
		return r.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
			r.QueueLock(b)
			r.QueueUnblock(b, keys, &freed)
		})
	})
	if err == nil {
		r.Apply(server, freed...)
	}
	return err
}

// QueueUnblock adds to a transaction that it frees the first pending delivery of each key, and
// appends what was freed.
func (r *Replica) QueueUnblock(b *sqltx.Batch, keys *Keys, freed *[]memory.Change) {
	if len(keys.Subs) > 0 {
		b.Queue(r.SQL.Unblock, keys.Subs, keys.Keys).Query(appendChanges(freed, false))
	}
}

// QueueHoldBack adds to a transaction that it puts all deliveries with a row behind the first of
// their key, and appends those that were not known to be.
func (r *Replica) QueueHoldBack(b *sqltx.Batch, keys *Keys, behind *[]memory.Change) {
	if len(keys.Subs) > 0 {
		b.Queue(r.SQL.HoldBack, keys.Subs, keys.Keys).Query(appendChanges(behind, true))
	}
}

// appendChanges reads pending deliveries: subscription, event, due.
func appendChanges(to *[]memory.Change, blocked bool) sqltx.Reader {
	c := memory.Change{Pending: true, Blocked: blocked}
	return sqltx.Each([]any{&c.Sub, &c.Seq, &c.Due}, func() { *to = append(*to, c) })
}
