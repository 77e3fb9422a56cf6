package erase

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/listing"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// Erase is [store.History.Erase].
func (e *Eraser) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err = q.Validate(); err == nil && q.EventID == "" {
		q.Cursor, err = e.db.Cursors.Open(q.Cursor)
	}
	if err == nil {
		err = e.ResumeAll(ctx)
	}
	if err == nil && q.EventID != "" {
		n, err = e.one(ctx, q.Tenant, q.EventID)
	} else if err == nil {
		n, next, err = e.tenant(ctx, &q)
	}
	return n, e.db.Cursors.Seal(next), err
}

// one erases one event of a tenant. It returns [store.ErrNotFound] if there is no such event.
func (e *Eraser) one(ctx context.Context, tenant, id string) (int, error) {
	var n int // no result: after an error the transaction may be under way still, and write it
	var marked []uint64
	err := e.db.Write(ctx, func(t *txn.Tx) error {
		seq, err := t.IDs.Find(tenant, id)
		if err == nil && seq == 0 {
			err = store.ErrNotFound
		}
		if err == nil {
			err = t.Events.CheckTenant(seq)
		}
		if err == nil {
			n, marked, err = t.Erasures.Erase([]uint64{seq})
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, e.finishAll(ctx, marked)
}

// finishAll finishes the erasures of events that have got a mark. After an error the rest keeps its
// marks, and is left to Prune: what the events carried is gone already.
func (e *Eraser) finishAll(ctx context.Context, marked []uint64) error {
	for _, seq := range marked {
		if err := e.finish(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// tenant erases the events of a tenant, one step of them: it goes from the oldest event to the
// newest.
func (e *Eraser) tenant(
	ctx context.Context, q *store.EraseQuery,
) (n int, next string, err error) {
	if err := e.db.CheckTenant(ctx, q.Tenant); err != nil {
		return 0, "", err
	}
	seqs, next, err := e.lists.TenantEvents(ctx, &listing.EventQuery{
		Tenant: q.Tenant, Cursor: q.Cursor, Unlisted: true,
		// So much that one transaction can erase it.
		Limit: page.Limit(q.Limit), Deliveries: buckets.DefaultEraseStep,
	})
	if err != nil || len(seqs) == 0 {
		return 0, next, err
	}
	var erased int // no result, as in one
	var marked []uint64
	err = e.db.Write(ctx, func(t *txn.Tx) (err error) {
		if err := t.CheckTenant(q.Tenant); err != nil {
			return err
		}
		// Events that were pruned since they were found are passed over.
		erased, marked, err = t.Erasures.Erase(seqs)
		return err
	})
	if err != nil {
		return 0, "", err
	}
	return erased, next, e.finishAll(ctx, marked)
}
