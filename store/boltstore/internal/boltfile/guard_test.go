package boltfile_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"testing"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

func TestGuard(t *testing.T) {
	other := errors.New("other")
	inner := &boltfile.CorruptError{Reason: errors.New("a record")}
	for _, tt := range []struct {
		name    string
		f       func() error
		want    error // nil if it is to be corrupt
		corrupt bool
	}{
		{"nothing", func() error { return nil }, nil, false},
		{"another error", func() error { return other }, other, false},
		{"closed", func() error { return bolterrors.ErrDatabaseNotOpen }, boltfile.ErrClosed,
			false},
		{"locked", func() error { return fmt.Errorf("x: %w", bolterrors.ErrTimeout) },
			boltfile.ErrLocked, false},
		{"invalid", func() error { return bolterrors.ErrInvalid }, bolterrors.ErrInvalid, true},
		{"checksum", func() error { return bolterrors.ErrChecksum }, bolterrors.ErrChecksum, true},
		{"version", func() error { return bolterrors.ErrVersionMismatch },
			bolterrors.ErrVersionMismatch, true},
		{"mapping", func() error { return bolterrors.ErrInvalidMapping },
			bolterrors.ErrInvalidMapping, true},
		{"corrupt already", func() error { return inner }, inner, true},
		{"a panic", func() error { panic("page 7 is nonsense") }, nil, true},
		{"a guard in a guard", func() error {
			return boltfile.Guard(func() error { panic("page 7 is nonsense") })
		}, nil, true},
	} {
		err := boltfile.Guard(tt.f)
		if tt.want != nil && !errors.Is(err, tt.want) || isCorrupt(err) != tt.corrupt ||
			tt.want == nil && !tt.corrupt && err != nil {
			t.Errorf("%s: got %v, want %v, corrupt: %t", tt.name, err, tt.want, tt.corrupt)
		}
		if tt.want == nil && tt.corrupt && err != nil && err.Error() != "page 7 is nonsense" {
			t.Errorf("%s: got %q, want what it panicked with", tt.name, err)
		}
	}
}

// TestGuardLeavesTheGoroutineAsItWas checks the setting that makes faults panics.
func TestGuardLeavesTheGoroutineAsItWas(t *testing.T) {
	for _, was := range []bool{false, true} {
		debug.SetPanicOnFault(was)
		_ = boltfile.Guard(func() error {
			if !debug.SetPanicOnFault(true) {
				t.Error("inside, a fault is fatal")
			}
			panic("nonsense")
		})
		if got := debug.SetPanicOnFault(false); got != was {
			t.Errorf("afterwards a fault is a panic: %t, want %t", got, was)
		}
	}
}

// TestPanicLeavesNoLock panics in transactions of both kinds. A transaction that was left open
// would make the next one that writes, or Close, wait for ever.
func TestPanicLeavesNoLock(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "file.db"), fill)
	for name, run := range map[string]func(func(*bolt.Tx) error) error{
		"View": f.View, "Update": f.Update,
	} {
		var left *bolt.Tx
		err := run(func(tx *bolt.Tx) error {
			left = tx
			panic("nonsense")
		})
		if !isCorrupt(err) {
			t.Errorf("%s: got error %v, want a CorruptError", name, err)
		}
		if left.DB() != nil {
			t.Errorf("%s has left its transaction open", name)
			boltfile.Rollback(left)
		}
	}
	undo := errors.New("undo")
	err := f.Update(func(tx *bolt.Tx) error {
		return errors.Join(tx.DeleteBucket([]byte("tree")), undo)
	})
	if !errors.Is(err, undo) {
		t.Errorf("Update: got error %v, want %v", err, undo)
	}
	if n, err := countKeys(f.DB()); n != filledKeys || err != nil {
		t.Errorf("keys: got %d, %v, want %d", n, err, filledKeys)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
