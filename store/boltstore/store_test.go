package boltstore_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/storetest"
)

// opener returns a function that opens a new store, and one that restarts it.
func opener(o *boltstore.Options) (open func(t *testing.T) store.Store,
	reopen func(t *testing.T, s store.Store) store.Store) {
	at := func(t *testing.T, path string) store.Store {
		s, err := boltstore.Open(path, o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	open = func(t *testing.T) store.Store { return at(t, filepath.Join(t.TempDir(), "hooks.db")) }
	reopen = func(t *testing.T, s store.Store) store.Store {
		bs := s.(*boltstore.Store)
		path := bs.DB().Path()
		if err := bs.Close(); err != nil {
			t.Fatal(err)
		}
		return at(t, path)
	}
	return open, reopen
}

// openerInHost is opener of stores in a host's database.
func openerInHost(o *boltstore.Options) (open func(t *testing.T) store.Store,
	reopen func(t *testing.T, s store.Store) store.Store) {
	at := func(t *testing.T, path string) store.Store {
		db, err := bolt.Open(path, 0o600, bareOptions)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return inHost(t, db, o)
	}
	open = func(t *testing.T) store.Store { return at(t, filepath.Join(t.TempDir(), "host.db")) }
	reopen = func(t *testing.T, s store.Store) store.Store {
		bs := s.(*boltstore.Store)
		path := bs.DB().Path()
		if err := errors.Join(bs.Close(), bs.DB().Close()); err != nil {
			t.Fatal(err)
		}
		return at(t, path)
	}
	return open, reopen
}

func TestContract(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     *boltstore.Options
		host  bool // in a host's database: only there others have transactions
		seeds int  // of random operations; if zero, the suite's default
		long  bool // left out by -short
	}{
		{"default", nil, false, 0, false},
		{"host database", nil, true, 6, true},
		{"no memory", boltstore.WithBudget(1), true, 6, false},
		{"little memory", boltstore.WithBudget(20), true, 6, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.long && testing.Short() {
				t.Skip("the others are close to it")
			}
			open, reopen := opener(tt.o)
			suite := storetest.Suite{Seeds: tt.seeds}
			if tt.host {
				open, reopen = openerInHost(tt.o)
				suite.Begin, suite.Exclusive = begin, true
			}
			suite.Open, suite.Reopen = open, reopen
			if !tt.host || !testing.Short() { // the random operations have host transactions too
				suite.Rules(t)
			}
			suite.Open = func(t *testing.T) store.Store {
				return verified{open(t).(*boltstore.Store), t}
			}
			suite.Reopen = func(t *testing.T, s store.Store) store.Store {
				return verified{reopen(t, s.(verified).Store).(*boltstore.Store), t}
			}
			suite.Compare(t)
		})
	}
}

// verified is a store that looks whether memory and its file agree before it prunes. Nothing else
// may go on then.
type verified struct {
	*boltstore.Store
	t *testing.T
}

func (v verified) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err := v.Verify(); err != nil {
		v.t.Error(err)
	}
	return v.Store.Prune(ctx, r)
}
