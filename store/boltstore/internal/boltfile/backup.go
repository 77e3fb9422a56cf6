package boltfile

import (
	"io"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// Backup writes a copy of the file to w, as it was when read began its transaction. read runs a
// function in one that reads. check is asked again and again whether to go on.
//
// While that transaction is open, bbolt uses no page again that is freed, so the file grows by what
// is written meanwhile; and a commit that must map more of the file waits for its end, and with it
// everybody. So it lasts as long as a copy to the disk, and no longer because w is slow: what goes
// to w comes from that copy, a file without a name beside the original. Only if w is itself a file
// on a disk is it written directly.
func Backup(
	path string, w io.Writer, read func(func(*bolt.Tx) error) error, check func() error,
) (err error) {
	if f, ok := w.(*os.File); ok && isRegular(f) {
		return copyTx(f, read, check)
	}
	copied, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".backup-*")
	if err != nil {
		return err
	}
	defer func() {
		copied.Close() // what counts has been read from it
		_ = removeIfThere(copied.Name())
	}()
	// At once, so that a process that is killed leaves nothing; where an open file can't be
	// removed, it is at the end.
	_ = os.Remove(copied.Name())
	if err := copyTx(copied, read, check); err != nil {
		return err
	}
	if _, err := copied.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(checkedWriter{w, check}, copied)
	return err
}

// isRegular reports whether f is a file, and no pipe, socket or device.
func isRegular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// copyTx writes what a transaction sees to w.
func copyTx(w io.Writer, read func(func(*bolt.Tx) error) error, check func() error) error {
	return read(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(checkedWriter{w, check})
		return err
	})
}

// checkedWriter asks before each write whether to go on.
type checkedWriter struct {
	io.Writer
	check func() error
}

func (w checkedWriter) Write(p []byte) (int, error) {
	if err := w.check(); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}
