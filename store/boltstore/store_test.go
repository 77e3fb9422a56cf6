package boltstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/storetest"
)

// opener returns a function that opens a new store, and one that restarts it.
func opener(o *boltstore.Options) (open func(t *testing.T) store.Store, reopen func(t *testing.T, s store.Store) store.Store) {
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

func TestContract(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     *boltstore.Options
		seeds int // of random operations; if zero, the suite's default
	}{
		{"default", nil, 0},
		{"no memory", boltstore.WithBudget(1), 6},
		{"little memory", boltstore.WithBudget(20), 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			open, reopen := opener(tt.o)
			storetest.Suite{Open: open, Reopen: reopen, Begin: begin, Exclusive: true}.Rules(t)
			storetest.Suite{
				Open: func(t *testing.T) store.Store { return verified{open(t).(*boltstore.Store), t} },
				Reopen: func(t *testing.T, s store.Store) store.Store {
					return verified{reopen(t, s.(verified).Store).(*boltstore.Store), t}
				},
				Begin: begin, Exclusive: true,
				Seeds: tt.seeds,
			}.Compare(t)
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
