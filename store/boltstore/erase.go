package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// Erase implements [store.History].
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err = q.Validate(); err == nil && q.EventID == "" {
		q.Cursor, err = s.lists.cursors.Open(q.Cursor)
	}
	if err == nil {
		err = s.erasures.resumeAll(ctx)
	}
	if err == nil && q.EventID != "" {
		n, err = s.erasures.one(ctx, q.Tenant, q.EventID)
	} else if err == nil {
		n, next, err = s.erasures.tenant(ctx, &q)
	}
	if err != nil {
		return 0, "", fmt.Errorf("boltstore: erase: %w", err)
	}
	return n, s.lists.cursors.Seal(next), nil
}

// one erases one event of a tenant. It returns [store.ErrNotFound] if there is no such event.
func (e *eraser) one(ctx context.Context, tenant, id string) (int, error) {
	var n int // no result: after an error the transaction may be under way still, and write it
	var marked []uint64
	err := e.commits.submit(ctx, &op{run: func(t *txn.Tx) error {
		seq, err := t.IDs.Find(tenant, id)
		if err == nil && seq == 0 {
			err = store.ErrNotFound
		}
		if err == nil {
			err = t.CheckTenantOf(seq)
		}
		if err == nil {
			n, marked, err = t.Erasures.Erase([]uint64{seq})
		}
		return err
	}})
	if err != nil {
		return 0, err
	}
	return n, e.finishAll(ctx, marked)
}

// finishAll finishes the erasures of events that have got a mark. After an error the rest keeps its
// marks, and is left to Prune: what the events carried is gone already.
func (e *eraser) finishAll(ctx context.Context, marked []uint64) error {
	for _, seq := range marked {
		if err := e.finish(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// tenant erases the events of a tenant, one step of them: it goes from the oldest event to the
// newest.
func (e *eraser) tenant(
	ctx context.Context, q *store.EraseQuery,
) (n int, next string, err error) {
	step, err := page.Collect[uint64](q.Cursor, page.Limit(q.Limit), store.DefaultDeliveryLimit)
	if err != nil {
		return 0, "", err
	}
	if err := e.db.checkTenant(ctx, q.Tenant); err != nil {
		return 0, "", err
	}
	f := scan.ErasableSearch{Tenant: q.Tenant, Step: step, From: step.Cursor().At.Num}
	// It looks in short transactions, so a tenant with few events among many holds no page of the
	// file for long.
	for more := true; more; {
		if err := e.db.check(ctx); err != nil {
			return 0, "", err
		}
		err := e.db.readStep(ctx, func(t *txn.Tx) (err error) {
			more, err = f.Read(t)
			return err
		})
		if err != nil {
			return 0, "", err
		}
	}
	seqs, next := step.Items(), step.Next(false)
	if len(seqs) == 0 {
		return 0, next, nil
	}
	var erased int // no result, as in one
	var marked []uint64
	err = e.commits.submit(ctx, &op{run: func(t *txn.Tx) (err error) {
		if err := t.CheckTenant(q.Tenant); err != nil {
			return err
		}
		// Events that were pruned since they were found are passed over.
		erased, marked, err = t.Erasures.Erase(seqs)
		return err
	}})
	if err != nil {
		return 0, "", err
	}
	return erased, next, e.finishAll(ctx, marked)
}
