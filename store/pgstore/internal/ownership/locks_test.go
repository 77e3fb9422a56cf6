package ownership_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/roomtest"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// blocked waits until a transaction waits for a lock of another, and returns its process.
func (m *member) blocked(t *testing.T, by int) (pid int) {
	t.Helper()
	const query = `SELECT coalesce(min(pid), 0) FROM pg_stat_activity
		WHERE $1 = ANY (pg_blocking_pids(pid))`
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); pid == 0; <-tick.C {
		if err := m.pool.QueryRow(t.Context(), query, by).Scan(&pid); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for a lock of the transaction")
		}
	}
	return pid
}

// TestLeaveBesideATakeover checks that a replica whose lease has run out can leave while another
// takes its shares: neither waits for a share that the other has, and has one that the other waits
// for.
func TestLeaveBesideATakeover(t *testing.T) {
	t.Parallel()
	name := roomtest.NewSchema(t)
	late, next := newMember(t, name), newMember(t, name)
	renew(t, late)
	// Only the low marks of the last shares rise: something is pending in the others.
	late.Memory.Lock()
	for share := range uint64(shares - 8) {
		late.Memory.Feed(memory.Delivery{Sub: shares + share, Seq: 1}, late.Clock.Now())
	}
	late.Memory.Saw(1000)
	late.Memory.Unlock()
	late.lapse(t)
	// Both are held up in the middle: the other when it has half of the shares.
	tx, err := next.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }() // if it has not committed
	if _, err := tx.Exec(t.Context(), next.SQL.SharesForUpdate, []int32{shares / 2}, 0); err != nil {
		t.Fatal(err)
	}
	taken, left := make(chan error, 1), make(chan error, 1)
	go func() { taken <- next.Renew(t.Context()) }()
	taking := next.blocked(t, int(tx.Conn().PgConn().PID()))
	go func() { left <- late.Leave(t.Context()) }()
	next.blocked(t, taking)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Errorf("the one that takes the shares: %v", err)
	}
	// It may be late, on a busy machine.
	if err := <-left; sqltx.State(err) != "" {
		t.Errorf("the one that leaves: %v", err)
	}
	wantOwned(t, "the one that takes the shares", next, shares)
}

// TestManyComeAndGo checks that many replicas which join, lose their leases and leave at the same
// time wait for each other once.
func TestManyComeAndGo(t *testing.T) {
	t.Parallel()
	const replicas, times = 8, 15
	name := roomtest.NewSchema(t)
	var all sync.WaitGroup
	for range replicas {
		m := newMember(t, name)
		all.Go(func() {
			for n := range times {
				errs := []error{m.Renew(t.Context())}
				m.Memory.Lock()
				m.Memory.Saw(uint64(n + 1))
				m.Memory.Unlock()
				m.RaiseLows()
				_, err := m.pool.Exec(t.Context(), "UPDATE "+m.Schema.Table("replicas")+
					" SET until = statement_timestamp() WHERE id = $1", m.ID)
				errs = append(errs, err, m.Renew(t.Context()), m.Leave(t.Context()))
				for _, err := range errs {
					if sqltx.State(err) == sqltx.DeadlockDetected {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
}
