package boltstore

import (
	"context"
	"fmt"
	"io"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// Backup writes a copy of the file to w, while the store is in use: a whole file, as of one moment
// between the call and its return, which has all that was on disk when the call began. Open opens
// it. docs/backup.md says what a restored copy sends again. The copy has all secrets that the file
// has, so give w the mode 0600. In a host's database it is a copy of that, with the host's data.
//
// It first copies the file to its own folder, which needs as much space there, and then sends that
// to w; if w is a regular *os.File, which should be on a local disk then, it writes there directly.
// Writers go on meanwhile. During the first copying, which takes as long as the disk takes, the
// file grows by what they write, and a commit that must map more of the file waits, and anybody who
// comes after it: that happens when the file outgrows the next power of two of its size, or above 1
// GiB the next GiB.
//
// When ctx ends or the store is closed it returns that error, at the latest after the write to w
// that is under way. After an error, what w has got is of no use.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	err := s.db.Check(ctx)
	if err == nil {
		err = boltfile.Backup(s.db.Bolt().Path(), w,
			func(do func(*bolt.Tx) error) error {
				return s.db.Read(ctx, func(t *txn.Tx) error { return do(t.Bolt) })
			},
			func() error { return s.db.Check(ctx) })
	}
	if err != nil {
		return fmt.Errorf("boltstore: backup: %w", err)
	}
	return nil
}
