package pgstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// watchdog is how long a call may take that should be over much sooner. It is not what is promised,
// but what even a machine under load keeps that does not hang.
const watchdog = time.Minute

// inTime runs the calls, all at the same time, and fails for each that does not return.
func inTime(t *testing.T, within time.Duration, calls map[string]func() error) {
	t.Helper()
	var mu sync.Mutex
	running := make(map[string]bool)
	done := make(chan struct{}, len(calls))
	for name := range calls {
		running[name] = true
	}
	for name, call := range calls {
		go func() {
			err := call()
			mu.Lock()
			delete(running, name)
			mu.Unlock()
			if err == nil {
				t.Errorf("%s: got no error, want one", name)
			}
			done <- struct{}{}
		}()
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	for range calls {
		select {
		case <-done:
		case <-timer.C:
			buf := make([]byte, 1<<20)
			mu.Lock()
			defer mu.Unlock()
			t.Fatalf("not returned within %v: %v\n%s", within, running, buf[:runtime.Stack(buf, true)])
		}
	}
}

// unreachable is a store in use whose server then stops to answer.
type unreachable struct {
	store *pgstore.Store
	sub   string
	stop  func()
}

// unreachables are the ways in which a server stops to answer.
func unreachables(t *testing.T) map[string]unreachable {
	srv := newServer(t, nil)
	p := newProxy(t, newServer(t, nil).URL())
	all := make(map[string]unreachable)
	for name, u := range map[string]struct {
		url  string
		stop func()
	}{
		"frozen server": {srv.URL(), func() {
			if err := srv.Freeze(); err != nil {
				t.Error(err)
			}
		}},
		"cut network": {p.url, func() { p.cutAfter(0) }},
	} {
		s, err := pgstore.Open(t.Context(), u.url+"&pool_max_conns=40", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		s.Ready() // it listens
		sub := subscribeJudge(t, s, newJudge(t))
		useAll(t, s, sub.ID)
		all[name] = unreachable{s, sub.ID, u.stop}
	}
	return all
}

// TestNoCallWithoutABound checks that each call returns when its context ends, though the server
// does not answer, and without such a context after the store's own bound; and that Close does too.
func TestNoCallWithoutABound(t *testing.T) {
	t.Parallel()
	for name, u := range unreachables(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u.stop()
			ended := make(map[string]func() error)
			forever := make(map[string]func() error)
			for method, call := range calls(u.store, u.sub) {
				if method == "Release" {
					continue // it is done in memory
				}
				ended[method] = func() error {
					ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
					defer cancel()
					return call(ctx)
				}
				if method != "Migrate" { // its bound is ten minutes
					forever[method] = func() error { return call(context.Background()) }
				}
			}
			inTime(t, pgstore.StatementTimeout/2, ended)
			inTime(t, pgstore.StatementTimeout+watchdog, forever)
			inTime(t, watchdog, map[string]func() error{"Close": func() error {
				if err := u.store.Close(); err != nil {
					return nil
				}
				return u.store.Enqueue(context.Background(), someEvents(1)...)
			}})
		})
	}
}

// TestCutOffClaim checks that a replica whose network fails anywhere within a claim holds up the
// others for seconds only: at each point of what it sends.
func TestCutOffClaim(t *testing.T) {
	t.Parallel()
	needServer(t)
	const cuts = 9
	for i := range cuts {
		t.Run(fmt.Sprintf("at %d of %d", i+1, cuts+1), func(t *testing.T) {
			t.Parallel()
			direct, schema := newPool(t)
			// It is closed before the schema is dropped: a server that has got half of a Parse
			// holds the tables until the connection ends.
			p := newProxy(t, serverURL)
			pool, err := pgxpool.New(t.Context(), p.url+"&pool_max_conns=1")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			other := open(t, direct, schema)
			subscribeMany(t, direct, schema, 3)
			s, err := pgstore.New(pool, &pgstore.Options{Schema: schema, PollOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			claimAll(t, s)
			before := p.bytesSent()
			claimAll(t, s) // all is prepared: this is what a claim sends
			p.cutAfter((p.bytesSent() - before) * (i + 1) / (cuts + 1))
			for claims := 0; err == nil; claims++ { // what was measured may have had a renewal in it
				if claims == 100 {
					t.Fatal("claims over a network that failed: got no error")
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_, err = s.Claim(ctx, store.ClaimRequest{Max: 10, Lease: time.Hour})
				cancel()
			}
			// It waits for the lock of the one that was cut off, for less than lock_timeout.
			if _, err := other.Claim(t.Context(),
				store.ClaimRequest{Max: 10, Lease: time.Hour}); err != nil {
				t.Errorf("a claim of another replica: %v", err)
			}
			if _, err := other.Prune(t.Context(), store.Retention{}); err != nil {
				t.Errorf("Prune of another replica: %v", err)
			}
		})
	}
}

// TestCutOffBetweenStatements checks that the server rolls a transaction back when its network
// fails in the middle of it: what it has locked is free in less than lock_timeout.
func TestCutOffBetweenStatements(t *testing.T) {
	t.Parallel()
	needServer(t)
	p := newProxy(t, serverURL)
	pool, err := pgxpool.New(t.Context(), p.url+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	direct, _ := newPool(t)
	lock := rand.Int64()
	write := func(ctx context.Context, pool *pgxpool.Pool, text string) error {
		db, err := sqltx.New(pool, t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return db.Write(ctx, sqltx.Plain, func(b *sqltx.Batch) {
			b.Queue("SELECT pg_advisory_xact_lock($1)", lock)
			b.Queue("SELECT length($1::text)", text)
		})
	}
	if err := write(t.Context(), pool, ""); err != nil { // all is prepared then
		t.Fatal(err)
	}
	p.cutAfter(32 << 10) // in the text of the second statement
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := write(ctx, pool, strings.Repeat("x", 64<<10)); err == nil {
		t.Error("a transaction that was cut off: got no error")
	}
	if err := write(t.Context(), direct, ""); err != nil {
		t.Errorf("another transaction with the same lock: %v", err)
	}
}

// TestWhoGivesUpLeavesTheQueue checks that calls which were given up while the server hung keep
// nothing: no place in the queue, no goroutine, no memory.
func TestWhoGivesUpLeavesTheQueue(t *testing.T) { // not parallel: it measures memory
	srv := newServer(t, nil)
	s, err := pgstore.Open(t.Context(), srv.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	subscribeJudge(t, s, newJudge(t))
	if err := s.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Fatal(err)
	}
	if err := srv.Freeze(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Thaw() })
	const calls, size = 5000, 20_000
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	ctx, giveUp := context.WithCancel(t.Context())
	var publishing sync.WaitGroup
	for _, ev := range someEvents(calls) {
		ev.Payload = fmt.Appendf(nil, `"%x"`, randomBytes(size/2))
		publishing.Go(func() {
			if err := s.Enqueue(ctx, ev); err == nil {
				t.Error("Enqueue while the server hangs: got no error")
			}
		})
	}
	await(t, "all wait", func() bool { return s.Waiting() > calls/2 })
	giveUp()
	publishing.Wait()
	if n := s.Waiting(); n > 0 {
		t.Errorf("waiting once all have given up: got %d calls, want none", n)
	}
	await(t, "goroutines end", func() bool { return runtime.NumGoroutine() < goroutines+50 })
	// One transaction is under way still, with at most 4 MiB of bodies and what goes to the server.
	if grown := heapInUse() - heap; grown > calls*size/4 {
		t.Errorf("memory once all have given up: %d MiB more than before, of %d MiB that waited",
			grown>>20, calls*size>>20)
	}
}

func heapInUse() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what has a finalizer goes in the second
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
