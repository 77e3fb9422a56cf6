package ownership_test

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/ownership"
	"github.com/outhook/outhook/store/pgstore/internal/roomtest"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
)

func TestMain(m *testing.M) { os.Exit(roomtest.Main(m)) }

// member is a replica that takes part in dealing shares, when its Renew is called.
type member struct {
	*ownership.Ownership
	pool *pgxpool.Pool
}

func newMember(t *testing.T, name schema.Name) *member {
	r, pool := roomtest.NewReplica(t, name)
	return &member{ownership.New(r, ownership.IdleAfter), pool}
}

// renew renews the lease of each.
func renew(t *testing.T, members ...*member) {
	t.Helper()
	for _, m := range members {
		if err := m.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// owned returns how many shares the replica may claim of.
func (m *member) owned() int {
	m.Memory.Lock()
	defer m.Memory.Unlock()
	return len(m.Memory.In(memory.Owned))
}

// lapse has the lease of a replica run out at the server, as if it had not renewed for long.
func (m *member) lapse(t *testing.T) {
	t.Helper()
	_, err := m.pool.Exec(t.Context(), "UPDATE "+m.Schema.Table("replicas")+
		" SET until = statement_timestamp() WHERE id = $1", m.ID)
	if err != nil {
		t.Fatal(err)
	}
}

// inDatabase returns the fences and the low marks of all shares.
func (m *member) inDatabase(t *testing.T) (fences, lows []int64) {
	t.Helper()
	err := m.pool.QueryRow(t.Context(),
		"SELECT array_agg(fence ORDER BY id), array_agg(low ORDER BY id) "+
			"FROM "+m.Schema.Table("shares")).Scan(&fences, &lows)
	if err != nil {
		t.Fatal(err)
	}
	return fences, lows
}

func wantOwned(t *testing.T, when string, m *member, want int) {
	t.Helper()
	if got := m.owned(); got != want {
		t.Errorf("%s: it owns %d shares, want %d", when, got, want)
	}
}

func TestOneAloneHasAll(t *testing.T) {
	t.Parallel()
	m := newMember(t, roomtest.NewSchema(t))
	renew(t, m)
	wantOwned(t, "after its first renewal", m, shares)
	if !m.IsValid() {
		t.Error("its lease is not valid")
	}
}

// TestHandOver checks that a replica that joins gets its part as soon as the others have given it
// up, and not before.
func TestHandOver(t *testing.T) {
	t.Parallel()
	name := roomtest.NewSchema(t)
	first, second := newMember(t, name), newMember(t, name)
	renew(t, first, second)
	wantOwned(t, "the one that joins, before the other has renewed", second, 0)
	renew(t, first)
	wantOwned(t, "the one that was there, once it knows of the other", first, shares/2)
	renew(t, second)
	wantOwned(t, "the one that joins, once it has been given its part", second, shares/2)
	if err := first.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantOwned(t, "one that has left", first, 0)
	renew(t, second)
	wantOwned(t, "the other, at once", second, shares)
}

// TestTakeover checks that the shares of a dead replica are taken with higher fences, and that it
// changes nothing when it comes back.
func TestTakeover(t *testing.T) {
	t.Parallel()
	name := roomtest.NewSchema(t)
	dead, next := newMember(t, name), newMember(t, name)
	renew(t, dead)
	before, _ := dead.inDatabase(t)
	dead.lapse(t)
	renew(t, next)
	wantOwned(t, "the next owner", next, shares)
	after, lows := next.inDatabase(t)
	for id := range after {
		if after[id] <= before[id] {
			t.Errorf("share %d: fence %d after %d", id, after[id], before[id])
		}
	}
	dead.Memory.Lock()
	dead.Memory.Saw(1000) // it would raise all low marks
	dead.Memory.Unlock()
	renew(t, dead)
	wantOwned(t, "the one that comes back", dead, 0)
	fences, now := dead.inDatabase(t)
	if !slices.Equal(fences, after) || !slices.Equal(now, lows) {
		t.Errorf("the one that comes back has changed fences %v or low marks %v", fences, now)
	}
}

// TestLowMarksRise checks that an owner raises the low marks of its shares.
func TestLowMarksRise(t *testing.T) {
	t.Parallel()
	m := newMember(t, roomtest.NewSchema(t))
	renew(t, m)
	m.Memory.Lock()
	m.Memory.Saw(1000)
	m.Memory.Unlock()
	renew(t, m)
	if _, lows := m.inDatabase(t); slices.Min(lows) != 1000 {
		t.Errorf("low marks: got %v, want 1000", lows)
	}
}

// waitsForLock reports whether somebody waits for an advisory lock of the replica.
func (m *member) waitsForLock(t *testing.T) (waits bool) {
	t.Helper()
	const query = `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
		AND (classid::bigint << 32) | objid::bigint = $1)`
	if err := m.pool.QueryRow(t.Context(), query, m.Lock()).Scan(&waits); err != nil {
		t.Fatal(err)
	}
	return waits
}

// TestTakeoverWaits checks that a new owner reads nothing before the transactions of the former one
// have ended: it would miss what they write.
func TestTakeoverWaits(t *testing.T) {
	t.Parallel()
	name := roomtest.NewSchema(t)
	former, next := newMember(t, name), newMember(t, name)
	whileLoading(t, former, next, func() {
		wantOwned(t, "while a transaction of the former owner is open", next, 0)
	})
	wantOwned(t, "once that has ended", next, shares)
}

// TestClosedWhileLoading closes a tenant while the owner of its subscription is loading. The owner
// has nothing leased, and must say so: its notice is taken by what it loads with.
func TestClosedWhileLoading(t *testing.T) {
	t.Parallel()
	name := roomtest.NewSchema(t)
	former, next := newMember(t, name), newMember(t, name)
	rows := func(table string) (n int) {
		t.Helper()
		if err := former.pool.QueryRow(t.Context(),
			"SELECT count(*) FROM "+former.Schema.Table(table)).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	whileLoading(t, former, next, func() {
		exec := func(sql string, args ...any) {
			t.Helper()
			if _, err := former.pool.Exec(t.Context(), sql, args...); err != nil {
				t.Fatal(err)
			}
		}
		exec("INSERT INTO " + former.Schema.Table("subscriptions") + ` (id, tenant, name, url, events,
			header_names, header_values, secrets, status, disabled_reason, created_at, updated_at)
			VALUES ('s', 'moves', '', '', '{}', '{}', '{}', '{}', 'Subscribed', '', now(), now())`)
		exec(former.SQL.CloseTenant, "moves")
		if n := rows("closing_subscriptions"); n != 1 {
			t.Fatalf("closing once the tenant is closed: got %d, want 1", n)
		}
	})
	if closing, notices := rows("closing_subscriptions"), rows("notices"); closing+notices != 0 {
		t.Errorf("once the shares are loaded: got %d closing and %d notices, want none", closing, notices)
	}
}

// whileLoading has next take over all shares from former, and calls do while next waits for a
// transaction of former's that is still open.
func whileLoading(t *testing.T, former, next *member, do func()) {
	t.Helper()
	renew(t, former)
	tx, err := former.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }() // if it has not committed
	if _, err := tx.Exec(t.Context(), former.SQL.LockShared, former.Lock()); err != nil {
		t.Fatal(err)
	}
	former.lapse(t)
	renewed := make(chan error, 1)
	go func() { renewed <- next.Renew(t.Context()) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !former.waitsForLock(t) {
		select {
		case err := <-renewed:
			t.Fatalf("the next owner has not waited: %v", err)
		case <-tick.C:
		}
	}
	do()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-renewed; err != nil {
		t.Fatal(err)
	}
}
