package buckets_test

import (
	"errors"
	"testing"

	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
)

// TestTry has operations share a transaction, and some of them fail.
func TestTry(t *testing.T) {
	failed := errors.New("it failed")
	f := txntest.New(t)
	f.Subscribe("sub", "")
	list := f.Update(func(tx *txn.Tx) error {
		if tx.NeedsCommit() {
			t.Error("a transaction that has done nothing needs a commit")
		}
		e := f.Event("ev1", "", "")
		intact, err := tx.Try(func() error { return tx.Enqueue([]*record.Event{e}, nil) })
		if !intact || err != nil {
			t.Errorf("an operation that succeeds: intact %v, %v", intact, err)
		}
		intact, err = tx.Try(func() error { return failed })
		if !intact || !errors.Is(err, failed) {
			t.Errorf("an operation that fails before it writes: intact %v, %v", intact, err)
		}
		if !tx.NeedsCommit() {
			t.Error("a transaction that has stored an event needs no commit")
		}
		return nil
	})
	if got := txntest.Kinds(list); len(got) != 1 || got[0] != "*effect.EventEnqueued" {
		t.Errorf("the effects are %v, want that one event is enqueued", got)
	}
	f.RollBack(func(tx *txn.Tx) error {
		e := f.Event("ev2", "", "")
		intact, err := tx.Try(func() error {
			if err := tx.Enqueue([]*record.Event{e}, nil); err != nil {
				return err
			}
			return failed
		})
		if intact || !errors.Is(err, failed) || len(tx.Effects()) != 0 {
			t.Errorf("an operation that fails after it has written: intact %v, %v, effects %v",
				intact, err, txntest.Kinds(tx.Effects()))
		}
		return nil
	})
}
