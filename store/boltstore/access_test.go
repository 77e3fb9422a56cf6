//go:build unix

package boltstore_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// TestOpenRefusesWhatOthersMayUse opens files of several modes in folders of several modes.
func TestOpenRefusesWhatOthersMayUse(t *testing.T) {
	for _, tt := range []struct {
		name         string
		folder, file fs.FileMode // no file if 0
		refused      string      // the command that the error gives
	}{
		{"the owner's", 0o700, 0o600, ""},
		{"the group's", 0o770, 0o660, ""},
		{"a new one", 0o755, 0, ""},
		{"everybody's", 0o755, 0o666, "chmod o= "},
		{"readable", 0o755, 0o644, "chmod o= "},
		{"writable", 0o755, 0o602, "chmod o= "},
		{"in everybody's folder", 0o777, 0o600, "chmod o-w "},
		{"a new one in everybody's folder", 0o777, 0, "chmod o-w "},
		{"in a folder like /tmp", 0o777 | fs.ModeSticky, 0o600, ""},
		{"everybody's in a folder like /tmp", 0o777 | fs.ModeSticky, 0o666, "chmod o= "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "folder")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "hooks.db")
			named := path
			if tt.file != 0 {
				s := open(t, path, nil)
				if err := errors.Join(s.Close(), os.Chmod(path, tt.file)); err != nil {
					t.Fatal(err)
				}
			}
			if strings.HasPrefix(tt.refused, "chmod o-w") {
				named = dir
			}
			if err := os.Chmod(dir, tt.folder); err != nil {
				t.Fatal(err)
			}
			s, err := boltstore.Open(path, nil)
			switch {
			case tt.refused == "" && err != nil:
				t.Fatalf("got error %v, want none", err)
			case tt.refused == "":
				s.Close()
			case err == nil:
				s.Close()
				t.Error("got no error, want one")
			case !strings.Contains(err.Error(), tt.refused+named) ||
				!strings.Contains(err.Error(), "Options.AllowOthers"):
				t.Errorf("got error %q, want one that says %q and names the option", err, tt.refused+named)
			}
			open(t, path, &boltstore.Options{AllowOthers: true})
		})
	}
}

// TestOpenRefusesThroughALink shows that the folder that counts is the one that has the file.
func TestOpenRefusesThroughALink(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path, link := filepath.Join(dir, "hooks.db"), filepath.Join(t.TempDir(), "hooks.db")
	s := open(t, path, nil)
	if err := errors.Join(s.Close(), os.Symlink(path, link), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := boltstore.Open(link, nil); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got error %v, want one that names %s", err, dir)
	}
}

// TestOpenErrorsSayWhatToDo looks for the path and for advice in the errors of Open.
func TestOpenErrorsSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, nil)
	used := filepath.Join(dir, "used.db")
	open(t, used, nil)
	for _, tt := range []struct {
		path, advice string
		is           error
	}{
		{filepath.Join(dir, "none", "hooks.db"),
			"the folder " + filepath.Join(dir, "none") + " does not exist; make it first", fs.ErrNotExist},
		{filepath.Join(file, "hooks.db"), file + " is a file, and not a folder", nil},
		{dir, "it is a folder; give the path of a file in it", nil},
		{used, "it is in use by another process", store.ErrLocked},
		{file, "the file is empty; put a backup in its place", store.ErrCorrupt},
	} {
		_, err := boltstore.Open(tt.path, nil)
		if err == nil || !strings.Contains(err.Error(), "open "+tt.path+": ") ||
			!strings.Contains(err.Error(), tt.advice) {
			t.Errorf("got error %v, want one that names %s and says %q", err, tt.path, tt.advice)
		}
		if tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("got error %v, want %v", err, tt.is)
		}
	}
}
