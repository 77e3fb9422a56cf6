package pgstore_test

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/storetest"
)

// TestStore runs the contract, by a role that has no more than SECURITY.md asks for.
func TestStore(t *testing.T) {
	needServer(t)
	type home struct {
		pool   *pgxpool.Pool
		schema string
	}
	var homes sync.Map // by store
	suite := storetest.Suite{
		RealTime: true,
		Parallel: true,
		Seeds:    seeds(),
		Steps:    60,
		Open: func(t *testing.T) store.Store {
			pool, schema := newPool(t)
			pool = newGranted(t, pool, schema)
			s := connectStore(t, pool, schema)
			homes.Store(s, home{pool, schema})
			return s
		},
		Begin: func(t *testing.T, s store.Store) storetest.HostTx {
			h, _ := homes.Load(s)
			return beginContract(t, h.(home).pool, s.(*pgstore.Store))
		},
		Reopen: func(t *testing.T, old store.Store) store.Store {
			h, _ := homes.Load(old)
			old.(*pgstore.Store).Close()
			s := connectStore(t, h.(home).pool, h.(home).schema)
			homes.Store(s, h)
			return s
		},
	}
	// Each rule takes a new schema, a quarter of a second of the server's.
	if testing.Short() {
		suite.Compare(t)
		return
	}
	suite.Run(t)
}

// seeds is how many sequences of random operations are compared with memstore.
func seeds() int {
	if long {
		return storetest.DefaultSeeds
	}
	return 5
}
