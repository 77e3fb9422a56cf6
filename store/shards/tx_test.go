package shards_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

// hosted are two databases of a host, with a store in each. Tenant "first" is in the first store,
// every other tenant in the second.
type hosted struct {
	*testing.T
	*shards.Store
	dbs    [2]*bolt.DB
	stores [2]*boltstore.Store
	d      *dispatcher.Dispatcher
}

func newHosted(t *testing.T) *hosted {
	t.Helper()
	h := &hosted{T: t}
	for i := range h.dbs {
		db, err := bolt.Open(filepath.Join(t.TempDir(), "host.db"), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		s, err := boltstore.New(db, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		h.dbs[i], h.stores[i] = db, s
	}
	pick := func(tenant string) int {
		if tenant == "first" {
			return 0
		}
		return 1
	}
	var err error
	if h.Store, err = shards.New(pick, h.stores[0], h.stores[1]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Store.Close() })
	h.d, err = dispatcher.New(h.Store, &dispatcher.Options{
		Quota: func(string) dispatcher.Quota { return dispatcher.Quota{Pending: 100} },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"first", "second"} {
		_, err := h.d.Subscribe(t.Context(),
			store.Subscription{Tenant: tenant, URL: "https://endpoint.example/"})
		if err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func (h *hosted) event(tenant string) events.Event {
	h.Helper()
	ev, err := events.New("a.b", map[string]int{"n": 1})
	if err != nil {
		h.Fatal(err)
	}
	ev.Tenant = tenant
	return ev
}

// publish publishes an event of each tenant in one transaction of a store's database, which commits
// whatever PublishTx returns.
func (h *hosted) publish(shard int, tenants ...string) (published error) {
	h.Helper()
	var evs []events.Event
	for _, tenant := range tenants {
		evs = append(evs, h.event(tenant))
	}
	err := h.dbs[shard].Update(func(tx *bolt.Tx) error {
		published = h.d.PublishTx(h.Context(), h.Tx(shard, h.stores[shard].Tx(tx)), evs...)
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
	return published
}

// pending checks how many deliveries of each tenant are pending.
func (h *hosted) pending(first, second int) {
	h.Helper()
	for tenant, want := range map[string]int{"first": first, "second": second} {
		if n, err := h.CountPending(h.Context(), tenant, 100); err != nil || n != want {
			h.Errorf("pending of tenant %q: got %d, %v, want %d", tenant, n, err, want)
		}
	}
}

// await calls is until it returns true, for a minute at most.
func (h *hosted) await(is func() bool) {
	h.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); runtime.Gosched() {
		if time.Now().After(deadline) {
			h.Fatal("not within a minute")
		}
	}
}

// isElsewhere checks that an error names the tenant, its store, and that of the transaction.
func (h *hosted) isElsewhere(err error, want shards.ElsewhereError) {
	h.Helper()
	var got *shards.ElsewhereError
	if !errors.As(err, &got) || *got != want {
		h.Errorf("got error %v, want %v", err, &want)
	}
}

// TestPublishTx publishes in transactions of both stores' databases. What is of a tenant in the
// other store is refused, and with it all of the call.
func TestPublishTx(t *testing.T) {
	h := newHosted(t)
	if err := h.publish(0, "first"); err != nil {
		t.Errorf("in the store of the tenant: %v", err)
	}
	if err := h.publish(1, "second", "second"); err != nil {
		t.Errorf("in the store of the tenant: %v", err)
	}
	h.pending(1, 2)
	h.isElsewhere(h.publish(1, "first"), shards.ElsewhereError{Tenant: "first", Shard: 1})
	h.isElsewhere(h.publish(0, "first", "second"), shards.ElsewhereError{Tenant: "second", Home: 1})
	h.isElsewhere(h.publish(0, "nobody"), shards.ElsewhereError{Tenant: "nobody", Home: 1})
	h.pending(1, 2)

	errRolledBack := errors.New("rolled back")
	err := h.dbs[0].Update(func(tx *bolt.Tx) error {
		if err := h.d.PublishTx(t.Context(), h.Tx(0, h.stores[0].Tx(tx)), h.event("first")); err != nil {
			t.Error(err)
		}
		return errRolledBack
	})
	if err != errRolledBack {
		t.Error(err)
	}
	h.pending(1, 2)
}

// TestPublishTxWakes wants Ready to tell of what a transaction has committed, and Claim to find it.
func TestPublishTxWakes(t *testing.T) {
	h := newHosted(t)
	select {
	case <-h.Ready():
	default:
	}
	if got, err := h.Claim(t.Context(), store.ClaimRequest{Max: 9, Lease: time.Minute}); err != nil ||
		len(got.Claims) > 0 {
		t.Fatalf("Claim: got %d, %v, want none", len(got.Claims), err)
	}
	if err := h.publish(1, "second"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-h.Ready():
	case <-time.After(time.Minute):
		t.Error("Ready says nothing of the commit")
	}
	got, err := h.Claim(t.Context(), store.ClaimRequest{Max: 9, Lease: time.Minute})
	if err != nil || len(got.Claims) != 1 {
		t.Errorf("Claim: got %d, %v, want the one that was published", len(got.Claims), err)
	}
}

// TestPublishTxAfterAMove wants the store that a tenant has been moved to, and no other, to take
// its events.
func TestPublishTxAfterAMove(t *testing.T) {
	h := newHosted(t)
	if err := h.Move(t.Context(), "first", 1); err != nil {
		t.Fatal(err)
	}
	h.isElsewhere(h.publish(0, "first"), shards.ElsewhereError{Tenant: "first", Home: 1})
	if err := h.publish(1, "first", "second"); err != nil {
		t.Error(err)
	}
	h.pending(1, 1)
}

// TestPublishTxOfAMovingTenant has a transaction meet a tenant that is closed, by a Move of another
// process, of which this one has not heard. It does not wait: the Move may need the lock that the
// transaction holds.
func TestPublishTxOfAMovingTenant(t *testing.T) {
	h := newHosted(t)
	if err := h.publish(0, "first"); err != nil { // what the stores say of tenants is known now
		t.Fatal(err)
	}
	for i, st := range []store.TenantState{
		{Phase: store.TenantLeaving, Peer: 1}, {Phase: store.TenantArriving, Peer: 0},
	} {
		if err := h.stores[i].SetTenantState(t.Context(), "first", st); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.publish(0, "first"); !errors.Is(err, store.ErrMoved) {
		t.Errorf("got error %v, want %v", err, store.ErrMoved)
	}
	// From now on the states are asked for, beside the transactions.
	var moving *shards.MovingError
	h.await(func() bool { return errors.As(h.publish(0, "first"), &moving) })
	if moving == nil || *moving != (shards.MovingError{Tenant: "first", To: 1}) {
		t.Errorf("got error %v, want that the tenant is moved from store 0 to 1", moving)
	}
	h.pending(1, 0)
}

// TestTxDoesNotWaitForAMove publishes in a transaction while a Move of the same Store has the
// tenant closed, which a call without a transaction waits for.
func TestTxDoesNotWaitForAMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		copying, goOn := make(chan struct{}), make(chan struct{})
		from := &slowExport{memstore.New(), sync.OnceFunc(func() {
			close(copying)
			<-goOn
		})}
		s, err := shards.New(func(string) int { return 0 }, from, memstore.New())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		moved := make(chan error)
		go func() { moved <- s.Move(t.Context(), "", 1) }()
		<-copying
		ev, err := events.New("a.b", 1)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err = s.Tx(0, from.Begin()).Enqueue(t.Context(), ev)
		if moving := new(shards.MovingError); !errors.As(err, &moving) || !time.Now().Equal(began) {
			t.Errorf("got error %v after %v, want that it is moving, at once", err, time.Since(began))
		}
		close(goOn)
		if err := <-moved; err != nil {
			t.Error(err)
		}
	})
}

// slowExport is a store that calls a function before it exports.
type slowExport struct {
	*memstore.Store
	before func()
}

func (s *slowExport) ExportTenant(
	ctx context.Context, tenant, cursor string, limit int,
) (store.TenantPart, error) {
	s.before()
	return s.Store.ExportTenant(ctx, tenant, cursor, limit)
}

// pooled is a store with one connection, which a transaction of the host holds: until that has
// ended, what asks for another waits.
type pooled struct {
	*memstore.Store
	pool chan struct{} // has one slot
}

func newPooled() *pooled { return &pooled{memstore.New(), make(chan struct{}, 1)} }

func (p *pooled) TenantStates(ctx context.Context) (map[string]store.TenantState, error) {
	select {
	case p.pool <- struct{}{}:
		defer func() { <-p.pool }()
		return p.Store.TenantStates(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lostTx is a transaction of a store that a tenant has moved away from. memstore's own says so at
// its commit.
type lostTx struct{ store.Tx }

func (lostTx) Enqueue(context.Context, ...events.Event) error { return store.ErrMoved }

// TestTxAsksForNoConnection publishes in transactions that hold all connections of the stores: with
// what the stores say of tenants outdated, and before they have said anything.
func TestTxAsksForNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newPooled(), newPooled()
		pick := func(tenant string) int {
			if tenant == "first" {
				return 0
			}
			return 1
		}
		ev, err := events.New("a.b", 1)
		if err != nil {
			t.Fatal(err)
		}
		in := func(tenant string) events.Event {
			ev.Tenant = tenant
			return ev
		}
		open := func() *shards.Store {
			s, err := shards.New(pick, first, second)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := open()
		// What is known of both is outdated: another process has moved the tenant.
		gone := store.TenantState{Phase: store.TenantGone, Peer: 1}
		if err := first.SetTenantState(t.Context(), "first", gone); err != nil {
			t.Fatal(err)
		}
		lock := func() {
			first.pool <- struct{}{}
			second.pool <- struct{}{}
		}
		unlock := func() {
			<-first.pool
			<-second.pool
		}
		lock()
		err = s.Tx(0, lostTx{first.Begin()}).Enqueue(t.Context(), in("first"))
		if !errors.Is(err, store.ErrMoved) {
			t.Errorf("of a tenant that has moved: got error %v, want %v", err, store.ErrMoved)
		}
		err = s.Tx(1, second.Begin()).Enqueue(t.Context(), in("second"))
		if err != nil {
			t.Errorf("of a tenant that has not: %v", err)
		}
		unlock()
		synctest.Wait()
		err = s.Tx(0, first.Begin()).Enqueue(t.Context(), in("first"))
		if of := new(shards.ElsewhereError); !errors.As(err, &of) || of.Home != 1 {
			t.Errorf("once the stores were asked: got error %v, want that it is in store 1", err)
		}
		s.Close()

		lock()
		s = open()
		if err := s.Tx(1, second.Begin()).Enqueue(t.Context(), in("second")); err != nil {
			t.Errorf("before the stores have said anything: %v", err)
		}
		err = s.Tx(1, second.Begin()).Enqueue(t.Context(), in("first"))
		if !isOf(err, 0) {
			t.Errorf("of a tenant of the other store: got error %v, want one of store 0", err)
		}
		unlock()
		synctest.Wait()
		if err := s.Tx(1, second.Begin()).Enqueue(t.Context(), in("first")); err != nil {
			t.Errorf("once it has said that the tenant has moved: %v", err)
		}
		s.Close()
	})
}

// TestTxOfNoStore gives a store that is not there, and no transaction.
func TestTxOfNoStore(t *testing.T) {
	s := inMemory(t, 2)
	defer s.Close()
	inner := s.inner[0].(*memstore.Store).Begin()
	for name, tx := range map[string]store.Tx{
		"no store before": s.Tx(-1, inner), "no store after": s.Tx(2, inner), "nil": s.Tx(0, nil),
	} {
		if err := tx.Enqueue(t.Context(), events.Event{}); err == nil {
			t.Errorf("%s: Enqueue: got no error", name)
		}
		if _, err := tx.CountPending(t.Context(), "", 1); err == nil {
			t.Errorf("%s: CountPending: got no error", name)
		}
	}
}
