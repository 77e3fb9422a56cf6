package shards

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// ElsewhereError says that a transaction is of another store than the one that has a tenant. Begin
// it on that one's database.
type ElsewhereError struct {
	Tenant string
	Shard  int // the store of the transaction, counted from 0
	Home   int // the store that has the tenant
}

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("shards: the transaction is of store %d, and tenant %q is in store %d; "+
		"publish in a transaction of that one", e.Shard, e.Tenant, e.Home)
}

// Tx returns a transaction of the host on one of the stores, counted from 0, for PublishTx of
// package dispatcher. tx is what that store has made of the transaction:
//
//	err := db.Update(func(tx *bbolt.Tx) error { // the database of first, which is store 0
//		…
//		return d.PublishTx(ctx, s.Tx(0, first.Tx(tx)), event)
//	})
//
// It refuses events of a tenant that is in another store, with an [ElsewhereError], and of one that
// is being moved, with a [MovingError] and without waiting; with [store.ErrMoved] alone when
// another process has moved the tenant and this one learns of it now. Then nothing of the call has
// been done, and the transaction is as it was.
//
// It asks the stores for no connection beside the transaction's. So it goes by what they have said
// last of the tenants that were moved, and returns an [Error] for a store that has not said it yet.
func (s *Store) Tx(shard int, tx store.Tx) store.Tx { return hostTx{tx, s, shard} }

// hostTx is a transaction of the host. It implements [store.Tx].
//
// A store in which nobody wants an event takes it and stores nothing, which is right for a store
// that has the tenant. So another one must not be asked at all.
type hostTx struct {
	store.Tx
	s     *Store
	shard int
}

// Enqueue implements [store.Tx].
func (h hostTx) Enqueue(ctx context.Context, evs ...events.Event) error {
	if err := h.check(ctx, evs); err != nil {
		return err
	}
	// A Move that closes the tenant from here on needs a commit of this store: it comes before the
	// transaction, which sees it then, or after, and has its events to copy.
	err := h.Tx.Enqueue(ctx, evs...)
	if !errors.Is(err, store.ErrMoved) {
		return err
	}
	// Another process has moved a tenant. Which, and where to, the next transaction will know.
	h.s.homes.outdated(h.s.shards[h.shard])
	h.s.freshen()
	return err
}

// CountPending implements [store.Tx].
func (h hostTx) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	if err := h.check(ctx, []events.Event{{Tenant: tenant}}); err != nil {
		return 0, err
	}
	return h.Tx.CountPending(ctx, tenant, limit)
}

// check returns an error unless the tenants of all events are in the store of the transaction.
func (h hostTx) check(ctx context.Context, evs []events.Event) error {
	if h.Tx == nil {
		return errors.New("shards: the transaction is nil; give what a store's method Tx has returned")
	}
	if h.shard < 0 || h.shard >= len(h.s.shards) {
		return fmt.Errorf("shards: the transaction is of store %d; there are 0 to %d", h.shard,
			len(h.s.shards)-1)
	}
	if err := h.s.begin(ctx); err != nil {
		return err
	}
	for i := range evs {
		tenant := evs[i].Tenant
		if i > 0 && tenant == evs[i-1].Tenant {
			continue
		}
		// Not home, which waits for a Move, and the Move may wait for the lock of this transaction.
		if err := h.s.homes.foundInTx(tenant, h.s.shards[h.shard]); err != nil {
			h.s.freshen()
			return err
		}
	}
	return nil
}

var errStatesUnknown = errors.New("what it says of tenants is not known yet; try again")

// foundInTx returns an error unless a tenant is in the shard of a transaction, by what is known. No
// shard is asked: that would take another of its connections, and once transactions hold all that
// there are, each would wait for the others.
//
// What is known may be outdated. That it names the shard of the transaction is enough: a shard that
// has lost a tenant since says ErrMoved itself.
func (h *homes) foundInTx(tenant string, own *shard) error {
	if len(h.shards) == 1 {
		return nil
	}
	sh, err := h.picked(tenant)
	if err != nil {
		return err
	}
	for range len(h.shards) + maxHops {
		st, known := h.lastState(sh, tenant)
		switch {
		case st.Phase == store.TenantSettled && sh == own:
			return nil
		case !known:
			return &Error{sh.index, errStatesUnknown}
		case st.Phase == store.TenantSettled:
			return &ElsewhereError{tenant, own.index, sh.index}
		}
		peer, err := h.peer(sh, tenant, st)
		if err != nil {
			return err
		}
		there, _ := h.lastState(peer, tenant)
		if moving := underWay(sh, st, peer, there); moving != nil {
			// A move of another process may have ended, and nobody would tell.
			h.outdated(sh)
			h.outdated(peer)
			moving.Tenant = tenant
			return moving
		}
		sh = peer
	}
	return fmt.Errorf("shards: tenant %q: %w", tenant, store.ErrMoved)
}
