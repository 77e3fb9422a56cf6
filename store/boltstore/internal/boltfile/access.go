package boltfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// CheckAccess returns an error if other users of the machine can read or write the file, or can put
// another in its place: if its mode has a bit for others, or if others may write to its folder and
// it is not one such as /tmp, in which each may remove only what is their own. A file that is not
// there is none of theirs. The groups of the file and of the folder are the host's to choose.
//
// Where modes say nothing of who may do what, it returns nil.
func CheckAccess(path string) error {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return nil
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // the folder in which it really is
	}
	dir := filepath.Dir(path)
	// What can't be looked at is left to Open, whose error says why.
	if info, err := os.Stat(dir); err == nil && info.Mode()&fs.ModeSticky == 0 &&
		info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("other users can write to the folder %s (mode %#o), and put another file in "+
			"place of the store's; take that from them: chmod o-w %[1]s", dir, info.Mode().Perm())
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() &&
		info.Mode().Perm()&0o007 != 0 {
		return fmt.Errorf("other users can read or write %s (mode %#o), which has the keys that sign "+
			"deliveries; take that from them: chmod o= %[1]s", path, info.Mode().Perm())
	}
	return nil
}

// explain says of a file that can't be opened what is in the way, if that is plain; otherwise it
// returns err.
func explain(path string, err error) error {
	dir := filepath.Dir(path)
	info, statErr := os.Stat(dir)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return fmt.Errorf("the folder %s does not exist; make it first: %w", dir, fs.ErrNotExist)
	case statErr == nil && !info.IsDir():
		return fmt.Errorf("%s is a file, and not a folder; give a path in a folder: %w", dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this process may not use it: give its user the file, and the right to "+
			"write to the folder %s: %w", dir, err)
	}
	return err
}
