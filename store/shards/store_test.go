package shards_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
	"github.com/outhook/outhook/store/storetest"
)

// closing is a store over others that are closed with it.
type closing struct {
	*shards.Store
	inner  []store.Store
	folder string // of the files, if there are some
}

func (c closing) Close() error {
	err := c.Store.Close()
	for _, s := range c.inner {
		err = errors.Join(err, s.(interface{ Close() error }).Close())
	}
	return err
}

// byLength deals tenants to n stores, so that those of the suite are not all in the same.
func byLength(n int) func(string) int {
	return func(tenant string) int { return (len(tenant) + 1) % n }
}

func over(t *testing.T, stores ...store.Store) *shards.Store {
	t.Helper()
	s, err := shards.New(byLength(len(stores)), stores...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func inMemory(t *testing.T, n int) closing {
	t.Helper()
	var stores []store.Store
	for range n {
		stores = append(stores, memstore.New())
	}
	return closing{Store: over(t, stores...), inner: stores}
}

func inFiles(t *testing.T, n int, folder string) closing {
	t.Helper()
	var stores []store.Store
	for i := range n {
		s, err := boltstore.Open(filepath.Join(folder, fmt.Sprintf("hooks-%d.db", i)), nil)
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	return closing{Store: over(t, stores...), inner: stores, folder: folder}
}

// apart says which rules hold within a shard only.
var apart = map[string]string{
	"tenants/slot-time": "its tenants are in two stores, and between stores the turns are the stores'",
}

func TestContract(t *testing.T) {
	for _, n := range []int{1, 3} {
		if n == 1 && testing.Short() {
			continue
		}
		suite := storetest.Suite{Seeds: 10, Shards: n > 1}
		if n > 1 {
			suite.Skip = apart
		}
		t.Run(fmt.Sprint("memory", n), func(t *testing.T) {
			suite := suite
			suite.Open = func(t *testing.T) store.Store { return inMemory(t, n) }
			suite.Run(t)
		})
		t.Run(fmt.Sprint("files", n), func(t *testing.T) {
			suite := suite
			suite.Open = func(t *testing.T) store.Store { return inFiles(t, n, t.TempDir()) }
			suite.Reopen = func(t *testing.T, s store.Store) store.Store {
				c := s.(closing)
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				return inFiles(t, n, c.folder)
			}
			suite.Run(t)
		})
	}
}

// movable returns a store over one in memory and two in files.
func movable(t *testing.T) closing {
	t.Helper()
	files := inFiles(t, 2, t.TempDir())
	if err := files.Store.Close(); err != nil {
		t.Fatal(err)
	}
	stores := append([]store.Store{memstore.New()}, files.inner...)
	return closing{Store: over(t, stores...), inner: stores}
}
