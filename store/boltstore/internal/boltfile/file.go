package boltfile

import (
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
)

// File is an open bbolt file: one of Open's, which no other process has open, or a name in the
// database of a host. It is safe for concurrent use.
type File struct {
	db      *bolt.DB
	onClose func() error

	// unsynced is the number of the last commit that is not known to be on disk, or 0 if all is. A
	// commit that succeeds clears only its own number: bbolt gives up its write lock inside Commit,
	// so the next transaction can begin, and even fail to commit, before this one notes its
	// success.
	unsynced atomic.Int64
	commits  atomic.Int64 // that have begun; the number of what was there before is 1
}

// newFile returns a File whose content is not known to be on disk.
func newFile(db *bolt.DB) *File {
	f := &File{db: db}
	f.unsynced.Store(f.commits.Add(1))
	return f
}

// DB returns the database.
func (f *File) DB() *bolt.DB { return f.db }

// BeginRead begins a transaction that reads, without a Guard. It must be ended by Rollback, and
// soon: bbolt reuses no page that was freed since it began.
func (f *File) BeginRead() (*bolt.Tx, error) { return f.db.Begin(false) }

// BeginWrite begins a transaction that writes, without a Guard, once all that it finds is on disk.
// It blocks for as long as there is another. End it by a deferred Rollback, also after Commit,
// which may fail or panic with the lock held.
func (f *File) BeginWrite() (*bolt.Tx, error) {
	tx, err := f.db.Begin(true)
	if err != nil {
		return nil, err
	}
	// Under the write lock, so that nobody writes a meta page between the reading of both and their
	// being written back.
	if err := f.sync(); err != nil {
		Rollback(tx)
		return nil, err
	}
	return tx, nil
}

// Commit commits a transaction of BeginWrite. If it fails, the transaction may be in the file all
// the same, when only its last sync has failed; the next BeginWrite syncs that first.
func (f *File) Commit(tx *bolt.Tx) error {
	number := f.commits.Add(1)
	f.unsynced.Store(number) // before, because Commit may panic
	if err := tx.Commit(); err != nil {
		return err
	}
	f.unsynced.CompareAndSwap(number, 0)
	return nil
}

// Rollback ends a transaction that may have ended already.
func Rollback(tx *bolt.Tx) { _ = tx.Rollback() }

// View runs do in a transaction that reads, in a Guard.
func (f *File) View(do func(*bolt.Tx) error) error {
	return Guard(func() error {
		tx, err := f.BeginRead()
		if err != nil {
			return err
		}
		defer Rollback(tx)
		return do(tx)
	})
}

// Update runs do in a transaction that writes, in a Guard, and commits it if do returns nil. Unlike
// bbolt's own Update, it leaves no lock behind when the commit panics.
func (f *File) Update(do func(*bolt.Tx) error) error {
	return Guard(func() error {
		tx, err := f.BeginWrite()
		if err != nil {
			return err
		}
		defer Rollback(tx)
		if err := do(tx); err != nil {
			return err
		}
		return f.Commit(tx)
	})
}

// Close ends the use of the file. It waits for open transactions. A database of a host stays open,
// and its name becomes free. Close must be called once.
func (f *File) Close() error { return Guard(f.onClose) }

// closeDB closes the database of a File that Open has returned.
func (f *File) closeDB() error {
	// With a list of free pages in the file, the next open need not read all other pages to find
	// them. But a file that was opened in vain stays as it is, and after a failed commit, the less
	// is written the better. That the list can't be written harms nobody.
	if f.commits.Load() > 1 && f.unsynced.Load() == 0 {
		f.db.NoFreelistSync = false
		_ = f.Update(func(*bolt.Tx) error { return nil })
	}
	return f.db.Close()
}
