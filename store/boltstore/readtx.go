package boltstore

import (
	"context"

	"github.com/outhook/outhook/store/boltstore/internal/txn"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	bolt "go.etcd.io/bbolt"
)

// read runs f in a transaction that only reads. It must be short: bbolt reuses no page that was
// freed since it began, and a commit that must map more of the file waits for it to end.
//
// When ctx ends first, read returns ctx's error without having called f, or what f has returned.
func (d *database) read(ctx context.Context, f func(*txn.Tx) error) error {
	if err := d.check(ctx); err != nil {
		return err
	}
	return guarded(func() error {
		tx, err := d.beginRead(ctx)
		if err != nil {
			return err
		}
		defer d.endRead(ctx, tx)
		t, err := d.wrap(tx)
		if err != nil {
			return err
		}
		return f(t)
	})
}

// beginRead begins a transaction that only reads. The mutex of state must not be held, because this
// can block.
//
// A commit that must map more of the file waits until all transactions that read have ended, and
// keeps new ones from beginning meanwhile. Only the host can have one that stays open. bbolt's
// Begin can't be left then, so a goroutine begins it for those who must be able to leave. One of
// them does so at a time, which costs nothing, since bbolt itself has them begin one after the
// other: so those who leave, however many, leave one goroutine behind.
func (d *database) beginRead(ctx context.Context) (*bolt.Tx, error) {
	if d.exclusive || ctx.Done() == nil {
		return d.file.BeginRead()
	}
	select {
	case d.beginning <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type begun struct {
		tx  *bolt.Tx
		err error
	}
	result := make(chan begun) // has no room: either the caller has the transaction, or we end it
	go func() {
		defer func() { <-d.beginning }()
		var b begun
		b.err = guarded(func() (err error) {
			b.tx, err = d.file.BeginRead()
			return err
		})
		select {
		case result <- b:
		case <-ctx.Done():
			if b.err == nil {
				boltfile.Rollback(b.tx)
			}
		}
	}()
	select {
	case b := <-result:
		return b.tx, b.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// endRead ends a transaction that only reads. It gives the file's memory back at once, but bbolt
// then waits for the caller that is beginning one, see beginRead; so the caller may leave.
func (d *database) endRead(ctx context.Context, tx *bolt.Tx) {
	if d.exclusive || ctx.Done() == nil {
		boltfile.Rollback(tx)
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		boltfile.Rollback(tx)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}
