package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Event implements [store.History].
func (s *Store) Event(
	ctx context.Context, tenant, eventID string,
) (ev store.StoredEvent, err error) {
	err = s.db.Read(ctx, func(t *txn.Tx) error {
		e, err := t.Events.Find(tenant, eventID)
		if err != nil {
			return err
		}
		if e == nil {
			return store.ErrNotFound
		}
		ev = store.StoredEvent{
			ID: e.ID, Type: e.Type, Tenant: e.Tenant, Key: e.Key, Trace: e.Trace,
			Time: time.UnixMilli(e.Time).UTC(), EnqueuedAt: record.AsTime(e.EnqueuedAt),
			Body: bytes.Clone(e.Body), // it is the file's memory until the transaction ends
			Tags: e.Tags, NotBefore: record.AsMillis(e.NotBefore),
			ExpiresAt: record.AsMillis(e.ExpiresAt),
		}
		return nil
	})
	if err != nil {
		return store.StoredEvent{}, fmt.Errorf("boltstore: event: %w", err)
	}
	return ev, nil
}
