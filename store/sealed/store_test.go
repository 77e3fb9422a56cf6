package sealed_test

import (
	"path/filepath"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
	"github.com/outhook/outhook/store/storetest"
)

// closing is a sealed store whose inner one is closed with it.
type closing struct {
	*sealed.Store
	inner interface{ Close() error }
	path  string // of its file, if it has one
}

func (c closing) Close() error { return c.inner.Close() }

func TestContractInMemory(t *testing.T) {
	storetest.Suite{
		Open: func(t *testing.T) store.Store {
			inner := memstore.New()
			return closing{Store: seal(t, inner, newKey("k")), inner: inner}
		},
		Seeds: 4,
		Seals: true,
	}.Run(t)
}

func TestContractInFile(t *testing.T) {
	if testing.Short() {
		t.Skip("TestContractInMemory shows most of it")
	}
	key := newKey("k")
	open := func(t *testing.T, path string) store.Store {
		inner, err := boltstore.Open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return closing{seal(t, inner, key), inner, path}
	}
	storetest.Suite{
		Open: func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "hooks.db")) },
		Reopen: func(t *testing.T, s store.Store) store.Store {
			c := s.(closing)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, c.path)
		},
		Seeds: 4,
		Seals: true,
	}.Run(t)
}
