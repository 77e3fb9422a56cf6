package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/pgstore/pgtest"
)

// pair is a primary with a standby. Both ports stay: where the primary has died, the next standby
// is made.
type pair struct {
	primary, standby *pgtest.Server
	synchronous      bool
}

func newPair(t *testing.T, synchronous bool) *pair {
	t.Helper()
	p := &pair{primary: newServer(t, nil), synchronous: synchronous}
	p.startStandby(t, 0)
	return p
}

// startStandby starts a standby of the primary, and returns when it has all that the primary has.
func (p *pair) startStandby(t *testing.T, port int) {
	t.Helper()
	standby, err := p.primary.StartStandby(t.Context(), port)
	if errors.Is(err, pgtest.ErrNotInstalled) {
		skip(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Remove)
	p.standby = standby
	want := "async"
	if p.synchronous {
		want = "sync"
		if err := p.primary.SetSynchronous(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	admin := connect(t, p.primary.URL())
	defer admin.Close(context.Background())
	await(t, "the standby follows", func() bool {
		var state string
		err := admin.QueryRow(t.Context(), `SELECT coalesce(max(sync_state), '')
			FROM pg_stat_replication WHERE state = 'streaming'`).Scan(&state)
		if err != nil {
			t.Fatal(err)
		}
		return state == want
	})
}

// url names the database of whichever is the primary.
func (p *pair) url() string {
	return fmt.Sprintf("postgres://outhook@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable"+
		"&target_session_attrs=read-write", p.primary.Port(), p.standby.Port())
}

// failOver kills the primary for good, and makes the standby the primary.
func (p *pair) failOver(t *testing.T) {
	t.Helper()
	if err := p.primary.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.primary, p.standby = p.standby, p.primary
}

// TestFailover kills the primary under load, again and again, while three hosts, each a process,
// publish and deliver on the URL of both servers.
func TestFailover(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	testFailover(t, true, rounds(1, 20))
}

// TestFailoverWithoutSynchronousStandby says how much is lost where commits wait for no standby.
func TestFailoverWithoutSynchronousStandby(t *testing.T) {
	t.Parallel()
	if !long {
		t.Skip("it measures what may be lost, and nothing is promised: run it with OUTHOOK_LONG=1")
	}
	testFailover(t, false, 20)
}

func testFailover(t *testing.T, synchronous bool, times int) {
	p := newPair(t, synchronous)
	j := newJudge(t)
	url := p.url()
	s := openURL(t, url)
	subscribeJudge(t, s, j)
	var replicas []*replica
	for range 3 {
		replicas = append(replicas, startReplica(t, "publisher", url, pgstore.DefaultSchema, j))
	}
	for n := range times {
		if n > 0 {
			p.standby.Remove()
			p.startStandby(t, p.standby.Port())
		}
		before := j.tally()
		goingOn := func(n tally) bool {
			return n.acked >= before.acked+100 && n.arrived >= before.arrived+100
		}
		j.await(t, "there is something to lose", progress, goingOn)
		killed := time.Now()
		p.failOver(t)
		promoted := time.Since(killed)
		before = j.tally()
		j.await(t, "publishing goes on", progress, func(n tally) bool {
			return n.acked > before.acked
		})
		published := time.Since(killed)
		// What was acknowledged before may still arrive: only what is new shows that all goes on.
		j.await(t, "delivering goes on", progress, goingOn)
		t.Logf("failover %d: promoted after %v, publishing after %v, delivering 100 more after %v", n+1,
			promoted.Round(time.Millisecond), published.Round(time.Millisecond),
			time.Since(killed).Round(time.Millisecond))
	}
	for _, r := range replicas {
		r.quiet()
	}
	lost := j.settle(t, s)
	if synchronous && lost > 0 {
		t.Errorf("acknowledged, and not delivered: %d events, want none", lost)
	}
	n := j.tally()
	if n.repeated > times*3*inFlight {
		t.Errorf("repeated: %d, want at most %d", n.repeated, times*3*inFlight)
	}
	t.Logf("%d failovers: %d acknowledged, %d lost, %d repeated", times, n.acked, lost, n.repeated)
}

// openURL returns a store on the database that the URL names.
func openURL(t *testing.T, url string) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// settle waits until a store has nothing pending any more, and returns how many of the events that
// were acknowledged have not arrived. It fails if nothing of what is pending goes for long.
func (j *judge) settle(t *testing.T, s store.Store) (lost int) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	least, since := math.MaxInt, time.Now()
	for ; ; <-ticker.C {
		stats, err := s.Stats(t.Context(), "")
		switch {
		case err == nil && stats.Pending == 0:
			return j.tally().missing
		case err == nil && stats.Pending < least:
			least, since = stats.Pending, time.Now()
		case time.Since(since) > progress:
			t.Fatalf("%d are pending, as for %v (%v); so far: %+v", stats.Pending, progress, err, j.tally())
		}
	}
}

// TestStandbyIsRefused checks that a store whose connections lead to a standby says so, and reads
// nothing there either: what a standby has may be old. Once it is promoted, all goes on.
func TestStandbyIsRefused(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	p := newPair(t, true)
	subscribeJudge(t, openURL(t, p.primary.URL()), newJudge(t))
	pool, err := pgxpool.New(t.Context(), p.standby.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := pgstore.New(pool, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Stats(t.Context(), ""); err == nil {
		t.Error("Stats on a standby: got no error")
	}
	if _, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: lease}); err == nil {
		t.Error("Claim on a standby: got no error")
	}
	if err := s.Enqueue(t.Context(), someEvents(1)...); err == nil {
		t.Error("Enqueue on a standby: got no error")
	}
	p.failOver(t)
	if err := s.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Errorf("Enqueue on the promoted server: %v", err)
	}
	claimOne(t, s, store.ClaimRequest{})
}
