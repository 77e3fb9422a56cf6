package database

import (
	"context"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// Read runs f in a transaction that only reads. It must be short: bbolt reuses no page that was
// freed since it began, and a commit that must map more of the file waits for it to end.
//
// When ctx ends first, Read returns ctx's error without having called f, or what f has returned. f
// runs on the caller's goroutine. An error of the file becomes one of package store.
func (d *reader) Read(ctx context.Context, f func(*txn.Tx) error) error {
	if err := d.Check(ctx); err != nil {
		return err
	}
	return Guard(func() error {
		t, err := d.Begin(ctx)
		if err != nil {
			return err
		}
		// Deferred, because f may panic on a damaged file; a transaction that is left open holds up
		// every commit that must map more of the file.
		defer d.End(ctx, t)
		return f(t)
	})
}

// Begin begins a transaction that only reads, for a caller to whom Read is too narrow. The caller
// ends it by End, and guards what it does between the two.
func (d *reader) Begin(ctx context.Context) (t *txn.Tx, err error) {
	tx, err := d.beginRead(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if t == nil { // also after a panic on a damaged file
			d.endRead(ctx, tx)
		}
	}()
	return d.wrap(tx)
}

// End ends a transaction of Begin.
func (d *reader) End(ctx context.Context, t *txn.Tx) { d.endRead(ctx, t.Bolt) }

// beginRead begins a transaction that only reads. The mutex of state must not be held, because this
// can block.
//
// A commit that must map more of the file waits until all transactions that read have ended, and
// keeps new ones from beginning meanwhile. Only the host can have one that stays open. bbolt's
// Begin can't be left then, so a goroutine begins it for those who must be able to leave. One of
// them does so at a time, which costs nothing, since bbolt itself has them begin one after the
// other: so those who leave, however many, leave one goroutine behind.
func (d *reader) beginRead(ctx context.Context) (*bolt.Tx, error) {
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
		b.err = Guard(func() (err error) {
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
func (d *reader) endRead(ctx context.Context, tx *bolt.Tx) {
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
