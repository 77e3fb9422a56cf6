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

var _ store.EventReader = (*Store)(nil)

// StoredEvent implements [store.EventReader].
func (s *Store) StoredEvent(
	ctx context.Context, subscriptionID, eventID string,
) (ev store.StoredEvent, err error) {
	err = s.db.Read(ctx, func(t *txn.Tx) error {
		_, seq, _, ok, err := t.LookUp(subscriptionID, eventID)
		if err != nil {
			return err
		}
		if !ok {
			return store.ErrNotFound
		}
		e, err := t.Events.Get(seq)
		if err != nil {
			return err
		}
		ev = store.StoredEvent{
			ID: e.ID, Type: e.Type, Tenant: e.Tenant, Key: e.Key, Trace: e.Trace,
			Time: time.UnixMilli(e.Time).UTC(), EnqueuedAt: record.AsTime(e.EnqueuedAt),
			Body: bytes.Clone(e.Body), // it is the file's memory until the transaction ends
		}
		return nil
	})
	if err != nil {
		return store.StoredEvent{}, fmt.Errorf("boltstore: stored event: %w", err)
	}
	return ev, nil
}
